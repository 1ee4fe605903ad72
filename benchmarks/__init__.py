"""
What the gateway costs, measured from another process: ``.venv/bin/python -m benchmarks``.
"""
