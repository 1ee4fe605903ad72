"""
The page that shows what agents describe in A2UI v0.8, for the canvas of a node (``http.md`` 13).
"""
