"""
Tests of reading documents.
"""
