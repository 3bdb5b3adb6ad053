"""What among the sources waits for a person, most urgent first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import ckan.plugins.toolkit as tk

__all__ = ["Waiting", "waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """``mine``: whether the reader can do it himself; otherwise he is told for whom it waits."""

    what: Literal["held", "columns", "unapproved", "failing"]
    source: Mapping[str, Any]
    url: str
    mine: bool
    count: int = 0


def waiting(sources: Sequence[Mapping[str, Any]]) -> list[Waiting]:
    """Runs that were held back, columns that nobody reviewed, sources that nobody approved, runs that failed.

    ``sources``: those that the reader may see.
    """
    found: list[Waiting] = []
    for source in sources:
        ask, run = {"id": source["id"]}, source.get("last_run")
        for run_id in source["waiting"]["held_runs"]:
            mine = tk.h.check_access("openhuizhou_harvest_run_decide", {"id": run_id})
            found.append(Waiting("held", source, tk.url_for("openhuizhou_harvest_runs.run", id=run_id), mine))
        if count := source["waiting"]["held_columns"]:
            mine = tk.h.check_access("openhuizhou_record_accept_columns", {"source_id": source["id"]})
            url = tk.url_for("openhuizhou_harvest_records.index", id=source["name"], only="columns")
            found.append(Waiting("columns", source, url, mine, count))
        if not source["approved"]:
            mine = tk.h.check_access("openhuizhou_source_approve", ask)
            found.append(
                Waiting("unapproved", source, tk.url_for("openhuizhou_harvests.source", id=source["name"]), mine)
            )
        if run and run["state"] == "failed":
            mine = tk.h.check_access("openhuizhou_source_patch", ask)
            found.append(Waiting("failing", source, tk.url_for("openhuizhou_harvest_runs.run", id=run["id"]), mine))
    order = ("held", "columns", "unapproved", "failing")
    return sorted(found, key=lambda each: (not each.mine, order.index(each.what)))
