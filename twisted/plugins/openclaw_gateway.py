"""
Tells ``twistd`` of the ``openclaw-gateway`` command.
"""

from twisted.application.service import ServiceMaker

openclaw_gateway = ServiceMaker(
    "OpenClaw Gateway",
    "openclaw.gateway.tap",
    "The OpenClaw Gateway",
    "openclaw-gateway",
)
