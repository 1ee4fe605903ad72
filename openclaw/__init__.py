"""
The OpenClaw Gateway: one always-on process that owns channels, sessions and the control plane.
"""

#: Calendar version; clients compare it, and it is never below 2026.1.30.
__version__ = "2026.11.0"
