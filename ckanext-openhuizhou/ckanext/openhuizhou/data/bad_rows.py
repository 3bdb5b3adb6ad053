"""The cells and rows that the last check of a table found fault with, one JSON object a line.

A database row would have to hold thousands of them for each table. The file is written whole under another name and
moved in; nobody needs it after a crash, for the next check writes it anew.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ckanext.openhuizhou.data import files
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.table_checks import Level, Report


def _folder() -> Path:
    folder = files.staging_dir().with_name("checks")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _file(resource_id: str) -> Path:
    return _folder() / f"{resource_id}.jsonl"


def write(resource_id: str, report: Report) -> None:
    """Keep what a report found, in the place of what there was."""
    new = _folder() / f"{resource_id}.{uuid.uuid4().hex}.part"
    try:
        with new.open("w", encoding="utf-8") as target:
            for result in report.results:
                if result.level == Level.IGNORE:
                    continue
                for finding in result.findings:
                    target.write(json.dumps(_line(finding, result.check), ensure_ascii=False, default=str))
                    target.write("\n")
        new.replace(_file(resource_id))
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def read(resource_id: str) -> Iterator[tuple[str, Finding]]:
    """Check and finding of each bad place, those of the strictest check first; nothing when none were found."""
    try:
        lines = _file(resource_id).open(encoding="utf-8")
    except FileNotFoundError:
        return
    with lines:
        for line in lines:
            values = json.loads(line)
            yield values.pop("check"), Finding(**values)


def remove(resource_id: str) -> None:
    """Forget them."""
    _file(resource_id).unlink(missing_ok=True)


def _line(finding: Finding, check: str) -> dict[str, Any]:
    values = {"row": finding.row, "column": finding.column, "value": finding.value}
    return {"check": check, "kind": finding.kind, **values, "params": dict(finding.params)}
