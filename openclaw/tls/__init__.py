"""
TLS on the gateway's own port (``protocol.md`` 23): the key pair, and the listening side that uses it.
"""
