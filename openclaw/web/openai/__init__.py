"""
What OpenAI's clients speak: ``/v1/chat/completions``, ``/v1/responses``, ``/v1/models`` (``http.md`` 5 to 8).
"""
