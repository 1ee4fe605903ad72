"""
The running gateway: connections, handshake, events, and the assembly of all parts.
"""
