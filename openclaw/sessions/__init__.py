"""
Session keys, freshness, and what clients are shown of sessions.
"""
