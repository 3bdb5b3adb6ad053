"""What is made from a published table when somebody has time: nothing of it is needed to show a page.

Each step is idempotent by the table's digest, so that a job that was killed begins again, and a step that fails keeps
no other from being done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ckanext.openhuizhou.data import datastore_tables, profile, versions
from ckanext.openhuizhou.data.job_lease import JobLease
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import LeaseLost, RunStopped

log = logging.getLogger(__name__)

#: Name and function of each step, in the order in which they are done; the function is given the resource's id.
STEPS: Final[list[tuple[str, Callable[[str], object]]]] = [
    ("profile", profile.derive),
    ("versions", versions.derive),
]


def run(lease: JobLease) -> None:
    """Do every step for the resource of a job, and close the job; of one that went well nothing is kept."""
    failed: list[Finding] = []
    for name, step in STEPS:
        if datastore_tables.live_mark(lease.resource_id) is None:
            break
        lease.step(name)
        try:
            step(lease.resource_id)
        except (LeaseLost, RunStopped, KeyboardInterrupt, SystemExit):
            raise
        except Exception as error:
            log.exception("%s of table %s failed", name, lease.resource_id)
            failed.append(Finding("derive-failed", params={"step": name, "reason": type(error).__name__}))
    if failed:
        lease.end("failed", failed)
    else:
        lease.forget()
