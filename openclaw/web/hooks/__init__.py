"""
Webhooks: other programs wake the agent or give it something to do (``http.md`` 10).
"""
