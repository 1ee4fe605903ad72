"""
Clients of our own protocol.
"""
