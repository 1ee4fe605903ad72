"""
What can be wrong with a job.
"""

from __future__ import annotations

from attrs import frozen

from openclaw.errors import OpenClawError


@frozen
class CronRefused(OpenClawError):
    """
    A job cannot be as it was asked for, or there is no such job.

    :ivar message: as clients know it.
    """

    message: str

    def __str__(self) -> str:
        return self.message


def refuse(message: str) -> CronRefused:
    """
    The refusal of what makes no sense, in the reference's form.
    """
    return CronRefused(f"Error: {message}")


def unknown_job(job_id: str) -> CronRefused:
    """
    There is no such job.
    """
    return refuse(f"unknown cron job id: {job_id}")
