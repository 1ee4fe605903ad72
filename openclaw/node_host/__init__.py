"""
A node without a screen: this machine, for a gateway that wants something run on it.
"""
