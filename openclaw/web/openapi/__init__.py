"""
The HTTP side as an OpenAPI 3.1 document.

The bodies are OpenAI's and ours by names that no rule makes of names in Python, so they are described as JSON Schema
itself. What keeps the description true are tests that ask a real gateway everything that it says.
"""
