"""
Jobs that run by the clock (``agent.md`` 24, ``methods.md`` 16): when they are due, what they are, what became of them.
Nothing here waits or sends; the scheduler is ``openclaw.gateway.cron``.
"""
