"""
HTTP on the gateway's port: probes, the page, static bundles.
"""
