"""
The canvas host: files that the agent writes and people look at, with live reload (``http.md`` 12).
"""
