"""
The root of every exception this project raises on purpose.
"""


class OpenClawError(Exception):
    """
    Something went wrong that a caller can act on; ``str()`` of it is a plain sentence.
    """
