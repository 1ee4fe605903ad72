"""
Tests of ``openclaw.approvals``.
"""
