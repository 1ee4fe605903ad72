"""
What the gateway keeps for those who speak with it: wake words, and how answers are spoken.
"""
