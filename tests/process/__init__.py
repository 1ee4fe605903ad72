"""
The real process on a real port, seen from outside.
"""
