"""
Tests of what the gateway fetches on someone's behalf.
"""
