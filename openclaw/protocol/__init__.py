"""
The wire: definitions, frames and validation. Knows nothing of Twisted.
"""
