"""
Gateways in the local network, by mDNS (``cli.md`` 6.4). Needs the extra ``discovery``.
"""
