"""Jobs on tables against the workers that have them, and files that people brought against the jobs.

A job whose worker is gone is not touched: the next worker takes it and begins again from its file.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.data import jobs, uploads
from ckanext.openhuizhou.domain.discrepancies import Discrepancy, Report
from ckanext.openhuizhou.model.data_job import DataJob

#: Seconds: a file is there before its job.
YOUNG: Final = 3600.0


def compare_jobs(report: Report) -> None:
    """Find what was left behind and, unless the report is a dry one, let it be gone on with or delete it."""
    report.looked_at["jobs"] += model.Session.execute(sa.select(sa.func.count()).select_from(DataJob)).scalar_one()
    left = jobs.left_behind()
    report.add([Discrepancy("job-dead", job_id, "its worker is gone", not report.dry) for job_id in left])
    if left and not report.dry:
        jobs.wake_if_needed()
    known = _with_resource()
    for job_id in uploads.all_kept(YOUNG):
        if job_id not in known:
            if not report.dry:
                uploads.remove(job_id)
            report.add([Discrepancy("upload-left", job_id, "a file that no load needs", not report.dry)])


def _with_resource() -> set[str]:
    """Ids of the loads whose resource is there, or was deleted by a person: its entry may come back."""
    query = sa.select(DataJob.id).join(model.Resource, model.Resource.id == DataJob.resource_id)
    found = set(model.Session.scalars(query.where(DataJob.kind == "load")))
    model.Session.rollback()
    return found
