"""
Tests of calling tools without a model.
"""
