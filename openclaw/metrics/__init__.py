"""
What the gateway counts of itself, and how Prometheus reads it.
"""
