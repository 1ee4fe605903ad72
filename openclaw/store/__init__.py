"""
What must survive a crash: one database per state directory, and its twin in memory.
"""
