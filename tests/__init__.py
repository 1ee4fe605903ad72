"""
The tests. Run them by ``bin/test``.
"""

from hypothesis import HealthCheck, settings

# A busy machine is slow at making examples, too; that says nothing of what is tested.
settings.register_profile("openclaw", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("openclaw")
