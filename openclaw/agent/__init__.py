"""
Runs: from a stored inbound record to exactly one outcome.
"""
