"""
Tests of webhooks.
"""
