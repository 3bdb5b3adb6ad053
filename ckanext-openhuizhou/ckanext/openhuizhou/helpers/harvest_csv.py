"""A run's findings and differences as CSV, made while they are read: the same memory for ten and for a million."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.harvesters import report
from ckanext.openhuizhou.logic.findings import described_change, described_finding

from .harvest import openhuizhou_difference

#: Rows that are sent together.
ROWS_PER_PART: Final = 500
#: How a formula begins, for spreadsheet programs; in Chinese ones also in full width.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
BOM: Final = "\ufeff"


def findings_csv(run_id: str) -> Iterator[bytes]:
    """Everything that the run found, one row each, in the reader's language."""
    header = (
        tk._("Record"), tk._("Title"), tk._("Severity"), tk._("Field"), tk._("Row"), tk._("Column"), tk._("Value"),
        tk._("What is wrong"), tk._("How to mend it"),
    )  # fmt: skip
    return csv_parts(header, _finding_rows(run_id))


def differences_csv(run_id: str) -> Iterator[bytes]:
    """Everything that the run would change, one row for each field, in the reader's language."""
    header = (
        tk._("Record"), tk._("Title"), tk._("What would happen"), tk._("Field"), tk._("Before"), tk._("After"),
    )  # fmt: skip
    return csv_parts(header, _difference_rows(run_id))


def csv_parts(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """A CSV file of UTF-8 with mark, so that Excel reads the Chinese; no cell begins as a formula does."""
    part = io.StringIO()
    part.write(BOM)
    writer = csv.writer(part, lineterminator="\r\n")
    writer.writerow(header)
    for number, row in enumerate(rows, 1):
        writer.writerow([harmless(cell) for cell in row])
        if number % ROWS_PER_PART == 0:
            yield part.getvalue().encode()
            part.seek(0)
            part.truncate()
    yield part.getvalue().encode()


def harmless(cell: Any) -> str:
    """The cell's text; with an apostrophe before what a spreadsheet program would run."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _finding_rows(run_id: str) -> Iterator[tuple[Any, ...]]:
    severities = {"error": tk._("Error"), "warning": tk._("Warning"), "info": tk._("Note")}
    for finding, title in report.stream_findings(run_id):
        said = described_finding(finding)
        yield (
            finding.record, title, severities[finding.severity], said["field_label"], finding.row, finding.column,
            finding.value, said["message"], said["mend"],
        )  # fmt: skip


def _difference_rows(run_id: str) -> Iterator[tuple[Any, ...]]:
    actions = {
        "added": tk._("Would be added"),
        "changed": tk._("Would be changed"),
        "withdrawn": tk._("Would be withdrawn"),
        "refused": tk._("Would be refused"),
    }
    for row in report.stream_differences(run_id):
        place = (row["record"], row["title"], actions.get(row["action"], row["action"]))
        if not row["changes"]:
            yield (*place, None, None, None)
        for change in map(described_change, row["changes"] or ()):
            texts = (
                "\n".join(openhuizhou_difference(change["field"], change.get(side))) for side in ("before", "after")
            )
            yield (*place, change["label"], *texts)
