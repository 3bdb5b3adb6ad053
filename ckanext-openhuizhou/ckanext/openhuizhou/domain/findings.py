"""Findings about data are data: a kind, a place, the figures, and how to mend it.

The sentence is made where it is shown: ``KINDS[kind].message`` and ``.mend`` are English msgids with
``{placeholders}`` that ``Finding.params`` fills, so that a report can be translated, counted and exported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from typing import Any

from .finding_kind import N_, FindingKind, Severity
from .source_findings import SOURCE_KINDS
from .table_findings import TABLE_KINDS

__all__ = ["KINDS", "N_", "Finding", "FindingKind", "Severity"]


_OF_LEVEL: dict[str, Severity] = {"ignore": "info", "warn": "warning", "hold": "warning", "refuse": "error"}


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
        """Of its kind, unless the rules of an entry's checks say what it means there (``params["level"]``)."""
        return _OF_LEVEL.get(str(self.params.get("level")), KINDS[self.kind].severity)

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready dict: the place, the figures, and the two msgids."""
        kind = KINDS[self.kind]
        return asdict(self) | {"severity": self.severity, "message": kind.message, "mend": kind.mend}


#: Every kind of finding; what is found before there is an entry stands in ``source_findings``, what is found about
#: tables in ``table_findings``. Keep in alphabetical order; placeholders must be in ``Finding.params`` or be one of
#: record, field, row, column, value.
KINDS: dict[str, FindingKind] = {
    **SOURCE_KINDS,
    **TABLE_KINDS,
    "category-unknown": FindingKind(
        N_("“{value}” is no category of the classification tree that an entry can be filed under"),
        N_("Choose a category with at least six digits from the classification tree"),
    ),
    "cell-characters": FindingKind(
        N_("Row {row}, column “{column}”: the text holds half of a character and cannot be written as UTF-8"),
        N_("Correct the encoding of the file at the source"),
    ),
    "cell-formula": FindingKind(
        N_("Row {row}, column “{column}”: “{value}” is a formula that a spreadsheet would run"),
        N_("Replace the formula by its result at the source"),
    ),
    "cell-type": FindingKind(
        N_("Row {row}, column “{column}”: “{value}” is not of type {data_type}"),
        N_("Correct the value at the source, or the type of the item in the entry"),
    ),
    "code-typed": FindingKind(
        N_("The platform assigns the resource code; “{value}” was typed"),
        N_("Leave the resource code empty, or as it is"),
    ),
    "code-unknown": FindingKind(
        N_("“{value}” is not in the list for field “{field}”"),
        N_("Choose a value from the list"),
    ),
    "column-invalid": FindingKind(
        N_("Column “{column}” has an identifier that a table cannot have: “{value}”"),
        N_("Use lower-case letters, digits and underscores, beginning with a letter, once per table, 63 at most"),
    ),
    "columns-too-many": FindingKind(
        N_("The table has {count} columns; at most {most} can be read"),
        N_("Split the table, or delete the empty columns to the right of it"),
    ),
    "condition-missing": FindingKind(
        N_("Field “{field}” is empty, though the type says that there is a condition"),
        N_("Write down the condition"),
    ),
    "data-level-refused": FindingKind(
        N_("Important and core data must not enter this platform"),
        N_("Take the entry out; ask the department's data security officer"),
    ),
    "entry-deleted": FindingKind(
        N_("The entry was deleted by a person; the source does not bring it back"),
        N_("Restore the entry, or leave the record out in the mapping"),
    ),
    "entry-invalid": FindingKind(
        N_("Field “{field}”: {reason}"),
        N_("Correct the field at the source or in the mapping"),
    ),
    "format-share-mismatch": FindingKind(
        N_("The format and the way of sharing do not agree"),
        N_("Share files as files, a database as database or interface, an interface as interface"),
    ),
    "ground-missing": FindingKind(
        N_("Field “{field}” is empty, though the type says that it is not open or not shared"),
        N_("Write down the law, regulation or national rule that forbids it"),
    ),
    "item-column-duplicate": FindingKind(
        N_("Item {row}: column id “{value}” already stands in item {first}"),
        N_("Give each item a column id of its own"),
    ),
    "item-column-invalid": FindingKind(
        N_("Item {row}: “{value}” is no column id"),
        N_("Use lower-case letters, digits and underscores, beginning with a letter, at most 63"),
    ),
    "item-name-duplicate": FindingKind(
        N_("Item {row}: the name “{value}” already stands in item {first}"),
        N_("Give each item a name of its own"),
    ),
    "item-required-missing": FindingKind(
        N_("Item {row}: “{field}” is empty"),
        N_("Fill it in, or remove the item"),
    ),
    "item-sensitive": FindingKind(
        N_("Item {row}: column “{column}” is not general data and cannot be open without conditions"),
        N_("Set the item to “not open” or “on conditions”, or correct its sensitivity"),
    ),
    "items-malformed": FindingKind(
        N_("The information items are not a list of items"),
        N_("Send a list of objects with name, column and data_type"),
    ),
    "items-too-many": FindingKind(
        N_("The entry has {count} information items; a table holds at most {most}"),
        N_("Split the entry"),
    ),
    "number-invalid": FindingKind(
        N_("“{value}” is not a whole number from {least} to {most}"),
        N_("Write the number alone, without unit"),
    ),
    "personal-data": FindingKind(
        N_("Column “{column}” holds personal data ({pii_kind}) in {count} of {rows} rows"),
        N_("Remove the column at the source, or take it out of the items that are published"),
    ),
    "personal-data-header": FindingKind(
        N_("Column “{column}” is named as personal data ({pii_kind})"),
        N_("Remove the column at the source, or take it out of the items that are published"),
    ),
    "preview-out-of-time": FindingKind(
        N_("The source took more than {seconds} seconds; what came until then is shown"),
        N_("Look at fewer records, or ask the department why its system answers so slowly; a run has more time"),
        "warning",
    ),
    "provider-missing": FindingKind(
        N_("The record does not say which department provides it"),
        N_("Fill in the department's full name in field “{field}” at the source"),
    ),
    "provider-other": FindingKind(
        N_("“{value}” is not the department of this source nor below it"),
        N_("Let that department deliver its data itself, or correct the provider"),
    ),
    "provider-unknown": FindingKind(
        N_("“{value}” is not the name of a department in the directory"),
        N_("Use the department's full official name"),
    ),
    "related-code-unknown": FindingKind(
        N_("“{value}” is not the code of an entry"),
        N_("Use the code as the entry's page shows it"),
    ),
    "required-missing": FindingKind(
        N_("Field “{field}” is empty"),
        N_("Fill it in at the source, or map another field to it"),
    ),
    "row-count": FindingKind(
        N_("The database read {count} rows where the file has {expected}"),
        N_("Report this to the operator: the file has a form that the loader should have refused"),
    ),
    "row-too-long": FindingKind(
        N_("A row of the file has more than {most} characters"),
        N_("Look for a missing line end or a quotation mark that is never closed"),
    ),
    "row-unfit": FindingKind(
        N_("Row {row}: the database cannot hold what stands there ({code})"),
        N_("Look for a number with very many digits or a row of very many long texts, and correct it at the source"),
    ),
    "row-width": FindingKind(
        N_("Row {row} has {count} cells where the entry has {expected} items"),
        N_("Correct the row at the source"),
    ),
    "secret-refused": FindingKind(
        N_("Secret information must not enter this platform"),
        N_("Take the entry out; it belongs to the classified network"),
    ),
    "state-not-allowed": FindingKind(
        N_("An entry cannot go from “{before}” to “{after}” this way"),
        N_("Ask the platform officer to publish or withdraw the entry"),
    ),
    "table-empty": FindingKind(
        N_("The table has no rows"),
        N_("Check whether the source still delivers this table"),
        "warning",
    ),
    "table-unfit": FindingKind(
        N_("The database cannot hold a table of this form ({code})"),
        N_("Split the table at the source, or publish fewer columns"),
    ),
    "tags-refused": FindingKind(
        N_("{count} tags were left out, the first is “{value}”"),
        N_("Tags have 2 to 100 letters, digits, spaces, dots, hyphens or underscores"),
        "warning",
    ),
    "tags-too-many": FindingKind(
        N_("The record has {count} tags; an entry takes at most {most}"),
        N_("Keep the tags that people search by"),
    ),
    "template-differs": FindingKind(
        N_("Sheet “{sheet}”, row {row}: “{field}” says “{value}”, the entry's first row says something else"),
        N_("Write the same in all rows of an entry, or merge the cells"),
    ),
    "template-items-alone": FindingKind(
        N_("The sheet of information items has items of “{value}”, which the sheet of entries does not have"),
        N_("Write the same name or code on both sheets"),
    ),
    "template-name-missing": FindingKind(
        N_("Sheet “{sheet}”, row {row}: there are cells, but neither a name nor a code of a resource"),
        N_("Fill in the name of the resource, or empty the row"),
    ),
    "text-characters": FindingKind(
        N_("Field “{field}” holds characters that are no text"),
        N_("Remove the control characters; check the encoding of the source"),
    ),
    "text-too-long": FindingKind(
        N_("Field “{field}” has {length} characters, at most {longest} are allowed"),
        N_("Shorten the text"),
    ),
    "title-duplicate": FindingKind(
        N_("The department already has an entry called “{value}”"),
        N_("Give the entry a name of its own"),
    ),
    "title-no-letters": FindingKind(
        N_("“{value}” has no letter or digit"),
        N_("Write what the data is about"),
    ),
    "title-system-name": FindingKind(
        N_("“{value}” is the name of a system, not of the data in it"),
        N_("Write what the data is about, for example the register or list that the system keeps"),
    ),
    "value-form": FindingKind(
        N_("Field “{field}”: “{value}” cannot be read as {form}"),
        N_("Correct the value at the source, or the rule in the mapping"),
    ),
}
