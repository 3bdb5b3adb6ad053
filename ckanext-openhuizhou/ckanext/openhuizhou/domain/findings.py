"""Findings about data are data: a kind, a place, the figures, and how to mend it.

The sentence is made where it is shown: ``KINDS[kind].message`` and ``.mend`` are English msgids with
``{placeholders}`` that ``Finding.params`` fills, so that a report can be translated, counted and exported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from typing import Any, Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class FindingKind:
    """``message`` says what is wrong, ``mend`` what to do about it; both are msgids."""

    message: str
    mend: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. ``value`` is shortened and never holds personal data."""

    kind: str
    record: str | None = None
    field: str | None = None
    row: int | None = None
    column: str | None = None
    value: str | None = None
    params: Mapping[str, Any] = dataclass_field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        return KINDS[self.kind].severity

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready dict: the place, the figures, and the two msgids."""
        kind = KINDS[self.kind]
        return asdict(self) | {"severity": kind.severity, "message": kind.message, "mend": kind.mend}


def N_(msgid: str) -> str:  # noqa: N802 - gettext's own name, marks a msgid for extraction
    return msgid


#: Every kind of finding. Keep in alphabetical order; placeholders must be in ``Finding.params``
#: or be one of record, field, row, column, value.
KINDS: dict[str, FindingKind] = {
    "cell-characters": FindingKind(
        N_("Row {row}, column “{column}”: the text holds half of a character and cannot be written as UTF-8"),
        N_("Correct the encoding of the file at the source"),
    ),
    "cell-type": FindingKind(
        N_("Row {row}, column “{column}”: “{value}” is not of type {data_type}"),
        N_("Correct the value at the source, or the type of the item in the entry"),
    ),
    "cell-type-more": FindingKind(
        N_("Column “{column}”: {count} more values are not of type {data_type}"),
        N_("Correct the values at the source, or the type of the item in the entry"),
    ),
    "column-invalid": FindingKind(
        N_("Column “{column}” has an identifier that a table cannot have: “{value}”"),
        N_("Use lower-case letters, digits and underscores, beginning with a letter, once per table, 63 at most"),
    ),
    "load-failed": FindingKind(
        N_("The table could not be published; what was published before stays"),
        N_("Run the harvest again; if it fails again, ask the operator to look at the log"),
    ),
    "personal-data": FindingKind(
        N_("Column “{column}” holds personal data ({pii_kind}) in {count} of {rows} rows"),
        N_("Remove the column at the source, or take it out of the items that are published"),
    ),
    "personal-data-header": FindingKind(
        N_("Column “{column}” is named as personal data ({pii_kind})"),
        N_("Remove the column at the source, or take it out of the items that are published"),
    ),
    "provider-missing": FindingKind(
        N_("The record does not say which department provides it"),
        N_("Fill in the department's full name in field “{field}” at the source"),
    ),
    "provider-unknown": FindingKind(
        N_("“{value}” is not the name of a department in the directory"),
        N_("Use the department's full official name"),
    ),
    "required-missing": FindingKind(
        N_("Field “{field}” is empty"),
        N_("Fill it in at the source, or map another field to it"),
    ),
    "row-count": FindingKind(
        N_("The database read {count} rows where the file has {expected}"),
        N_("Report this to the operator: the file has a form that the loader should have refused"),
    ),
    "row-width": FindingKind(
        N_("Row {row} has {count} cells where the entry has {expected} items"),
        N_("Correct the row at the source"),
    ),
    "table-empty": FindingKind(
        N_("The table has no rows"),
        N_("Check whether the source still delivers this table"),
        "warning",
    ),
    "title-duplicate": FindingKind(
        N_("The department already has an entry called “{value}”"),
        N_("Give the entry a name of its own"),
    ),
}
