"""
Calling one tool without a model (``http.md`` 9).
"""
