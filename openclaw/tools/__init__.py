"""
The gateway's own tools: what the agent can do besides talking, and what programs can do without it (``agent.md`` 19.5).
"""
