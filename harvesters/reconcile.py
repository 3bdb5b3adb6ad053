"""Proves that database, index, records, tables and files tell the same, and repairs what does not.

The steps go from what others follow from to what follows: runs, jobs, tables, records, index. A repair is the smallest
safe thing; writing an entry or a table is left to the next run of its source. What a run works on is left alone.
"""

from __future__ import annotations

import json
from typing import Any, Final

import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import insert

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.discrepancies import Report
from ckanext.openhuizhou.harvesters.reconcile_index import compare_index
from ckanext.openhuizhou.harvesters.reconcile_jobs import compare_jobs
from ckanext.openhuizhou.harvesters.reconcile_records import compare_leases, compare_records
from ckanext.openhuizhou.harvesters.reconcile_tables import compare_tables
from ckanext.openhuizhou.harvesters.wake import wake
from ckanext.openhuizhou.model.database import exclusive

_STEPS: Final = (compare_leases, compare_jobs, compare_tables, compare_records, compare_index)
_KEY: Final = "openhuizhou.reconcile_report"
_INFO: Final = model.SystemInfo.__table__  # pyright: ignore[reportAttributeAccessIssue]


def reconcile(*, dry: bool = False, deep: bool = False) -> Report:
    """Compare everything, one comparison at a time on the whole site. ``deep``: also rows and contents of files.

    Raises:
        pysolr.SolrError, ckan.lib.search.SearchIndexError: Solr does not answer; the other parts were compared.
    """
    began = utcnow()
    report = Report(dry, deep)
    with exclusive("openhuizhou reconcile"):
        for step in _STEPS:
            step(report)
        if not dry:
            if report.counts["lease-dead"]:
                wake()
            _remember({**report.as_dict(), "began": _iso(began), "ended": _iso(utcnow())})
    return report


def last_report() -> dict[str, Any] | None:
    """What the last comparison that also repaired found (``Report.as_dict``), with ``began`` and ``ended`` (UTC)."""
    value = model.Session.scalar(sa.select(_INFO.c.value).where(_INFO.c.key == _KEY))
    return json.loads(value) if value else None


def _remember(report: dict[str, Any]) -> None:
    value = json.dumps(report, ensure_ascii=False)
    statement = insert(_INFO).values(key=_KEY, value=value, state=model.State.ACTIVE)
    model.Session.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
    model.Session.commit()


def _iso(moment: Any) -> str:
    return moment.isoformat(timespec="seconds") + "Z"
