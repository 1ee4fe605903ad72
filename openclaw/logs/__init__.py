"""
Log observers, the daily file, redaction and the tail that clients read.
"""
