"""
The configuration file: where it is, what it says, how it is changed.
"""
