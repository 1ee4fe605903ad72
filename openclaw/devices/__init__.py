"""
Device identity, pairing and tokens.
"""
