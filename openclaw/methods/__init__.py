"""
What clients may ask: one module per family of methods.
"""
