"""
Text and pictures out of documents that strangers made.
"""
