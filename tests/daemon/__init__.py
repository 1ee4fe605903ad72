"""
Tests of the gateway as a service of the system.
"""
