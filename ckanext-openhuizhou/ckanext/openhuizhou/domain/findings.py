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
    "address-refused": FindingKind(
        N_("The address {value} is in a range that sources may not read"),
        N_("Ask the operator to add its host and port to ckanext.openhuizhou.allowed_hosts"),
    ),
    "category-unknown": FindingKind(
        N_("“{value}” is no category of the classification tree that an entry can be filed under"),
        N_("Choose a category with at least six digits from the classification tree"),
    ),
    "cell-characters": FindingKind(
        N_("Row {row}, column “{column}”: the text holds half of a character and cannot be written as UTF-8"),
        N_("Correct the encoding of the file at the source"),
    ),
    "cell-formula": FindingKind(
        N_("Column “{column}”: {count} texts are formulas that a spreadsheet would run, the first in row {row}"),
        N_("Replace the formulas by their results at the source"),
    ),
    "cell-type": FindingKind(
        N_("Row {row}, column “{column}”: “{value}” is not of type {data_type}"),
        N_("Correct the value at the source, or the type of the item in the entry"),
    ),
    "cell-type-more": FindingKind(
        N_("Column “{column}”: {count} more values are not of type {data_type}"),
        N_("Correct the values at the source, or the type of the item in the entry"),
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
    "column-missing": FindingKind(
        N_("Column “{column}” ({value}) is not in the source"),
        N_("Bring the column back at the source, or take it out of the mapping"),
    ),
    "column-new": FindingKind(
        N_("The source has a new column “{column}”, which is not published"),
        N_("Add the column to the list in the mapping if it is meant to be open"),
        "warning",
    ),
    "column-unreadable": FindingKind(
        N_("Column “{column}” is of a type that a table for everybody cannot hold ({data_type})"),
        N_("Take the column out of the mapping, or have the department offer it as text"),
    ),
    "columns-changed": FindingKind(
        N_("The columns of the source have changed: {change}"),
        N_("Look at the columns and confirm them in the mapping; until then the table of before stays"),
    ),
    "columns-too-many": FindingKind(
        N_("The table has {count} columns; at most {most} can be read"),
        N_("Split the table, or delete the empty columns to the right of it"),
    ),
    "condition-missing": FindingKind(
        N_("Field “{field}” is empty, though the type says that there is a condition"),
        N_("Write down the condition"),
    ),
    "conflict-priority": FindingKind(
        N_("“{value}” is in the catalogue already, from “{source}”, which comes first"),
        N_("Nothing needs to be done. If this source should come first, ask a platform officer for a higher priority"),
        "warning",
    ),
    "data-level-refused": FindingKind(
        N_("Important and core data must not enter this platform"),
        N_("Take the entry out; ask the department's data security officer"),
    ),
    "encoding-unknown": FindingKind(
        N_("The file is in no encoding that the platform reads; the first bad byte is number {offset}"),
        N_("Save the file as UTF-8 or GB18030 and deliver it again"),
    ),
    "entry-deleted": FindingKind(
        N_("The entry was deleted by a person; the source does not bring it back"),
        N_("Restore the entry, or leave the record out in the mapping"),
    ),
    "entry-invalid": FindingKind(
        N_("Field “{field}”: {reason}"),
        N_("Correct the field at the source or in the mapping"),
    ),
    "file-changed": FindingKind(
        N_("The file “{value}” was written to while it was read"),
        N_("Nothing is lost: the next run reads it. Deliver files under another name first and rename them when whole"),
    ),
    "file-denied": FindingKind(
        N_("The server does not give out the file “{value}”"),
        N_("Let the platform’s user read the file, or take its line out of the list"),
    ),
    "file-missing": FindingKind(
        N_("The file “{value}” is listed but is not in the folder"),
        N_("Deliver the file, or take its line out of the list"),
    ),
    "file-too-large": FindingKind(
        N_("The file “{value}” is larger than {most} MiB"),
        N_("Split the file, or deliver the table as CSV"),
    ),
    "format-share-mismatch": FindingKind(
        N_("The format and the way of sharing do not agree"),
        N_("Share files as files, a database as database or interface, an interface as interface"),
    ),
    "ground-missing": FindingKind(
        N_("Field “{field}” is empty, though the type says that it is not open or not shared"),
        N_("Write down the law, regulation or national rule that forbids it"),
    ),
    "header-not-found": FindingKind(
        N_("No header row was found in “{value}”"),
        N_("Give the numbers of the header rows in the configuration of the source"),
    ),
    "index-refused": FindingKind(
        N_("The search index did not take the entry “{value}”"),
        N_("The entry itself is stored and is sent again at each run. Ask the operator to look at the log"),
        "warning",
    ),
    "index-waiting": FindingKind(
        N_("The search index did not take the changes; {count} wait"),
        N_("Nothing is lost: they are indexed as soon as the search server answers. Ask the operator to look at it"),
        "warning",
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
    "key-duplicate": FindingKind(
        N_("The key “{value}” stands twice in the source; the first one was read"),
        N_("Give each record a key of its own"),
    ),
    "key-missing": FindingKind(
        N_("Record number {number} has no key"),
        N_("Fill in the key at the source"),
    ),
    "key-placeholder": FindingKind(
        N_("Record number {number}: “{value}” stands where the key should be, but is none"),
        N_("Give each record a key of its own at the source"),
    ),
    "key-unfit": FindingKind(
        N_("Record number {number}: “{value}” cannot be a key"),
        N_("Use at most {longest} characters, and none that cannot be printed"),
    ),
    "links-refused": FindingKind(
        N_("{count} links were left out, the first to “{value}”"),
        N_("Give whole addresses that begin with http or https and hold no password"),
        "warning",
    ),
    "links-too-many": FindingKind(
        N_("The record has {count} files and links; an entry takes at most {most}"),
        N_("Split the data set at the source, or offer the files as one archive"),
    ),
    "load-failed": FindingKind(
        N_("The table could not be published; what was published before stays"),
        N_("Run the harvest again; if it fails again, ask the operator to look at the log"),
    ),
    "mapping-columns-missing": FindingKind(
        N_("The record has no columns that the mapping publishes"),
        N_("List the columns of the data set in the mapping"),
    ),
    "modified-in-future": FindingKind(
        N_("The source says that the data changed on {value}, which is yet to come; the time of reading was taken"),
        N_("Set the clock of the department’s system, or correct the date at the source"),
        "warning",
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
    "record-unreadable": FindingKind(
        N_("The record could not be read: {reason}"),
        N_("Correct the record at the source and run the harvest again"),
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
    "rows-after-notes": FindingKind(
        N_("Row {row} looks like data but stands under the notes"),
        N_("Move the notes below the last row of the table, or name their beginning in the source’s configuration"),
    ),
    "run-held-empty": FindingKind(
        N_("The source was read without error but has no record; nothing was withdrawn"),
        N_("Check the source. If it is meant to be empty, have a platform officer approve the run"),
    ),
    "run-held-withdrawals": FindingKind(
        N_("{count} of {total} entries would be withdrawn, more than {allowed}; nothing was withdrawn"),
        N_("Check the source. If the entries are meant to go, have a platform officer approve the run"),
    ),
    "run-unexpected": FindingKind(
        N_("The run failed for a reason that the platform did not expect ({reason})"),
        N_("Ask the operator to look at the log, then run the harvest again; what was published before stays"),
    ),
    "secret-refused": FindingKind(
        N_("Secret information must not enter this platform"),
        N_("Take the entry out; it belongs to the classified network"),
    ),
    "sheet-missing": FindingKind(
        N_("The workbook has no sheet “{value}”"),
        N_("Correct the name of the sheet in the list, or in the source’s configuration"),
    ),
    "source-denied": FindingKind(
        N_("The source refused access: {reason}"),
        N_("Check the token or password of the source"),
    ),
    "source-malformed": FindingKind(
        N_("The source answered something that cannot be read: {reason}"),
        N_("Ask the department to check its system; nothing that was published before has changed"),
    ),
    "source-misconfigured": FindingKind(
        N_("The configuration of the source is wrong: {reason}"),
        N_("Correct the source’s file or its variables"),
    ),
    "source-unapproved": FindingKind(
        N_("The source was changed after its entries were published, and nobody has approved the change"),
        N_("Make a dry run and ask a platform officer to approve the source; until then nothing changes"),
    ),
    "source-unreachable": FindingKind(
        N_("The source does not answer: {reason}"),
        N_("Check that the department’s system runs and its address is right, then run the harvest again"),
    ),
    "state-not-allowed": FindingKind(
        N_("An entry cannot go from “{before}” to “{after}” this way"),
        N_("Ask the platform officer to publish or withdraw the entry"),
    ),
    "storage-full": FindingKind(
        N_("There is no room left to store the table; what was published before stays"),
        N_("Ask the operator to make room on the disk, then run the harvest again"),
    ),
    "table-empty": FindingKind(
        N_("The table has no rows"),
        N_("Check whether the source still delivers this table"),
        "warning",
    ),
    "table-missing": FindingKind(
        N_("The table “{value}” is listed but is not in the database"),
        N_("Create the table or view, or take its line out of the list"),
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
    "unexpected": FindingKind(
        N_("The record failed for a reason that the platform did not expect ({reason})"),
        N_("Ask the operator to look at the log; the other records went on"),
    ),
    "value-form": FindingKind(
        N_("Field “{field}”: “{value}” cannot be read as {form}"),
        N_("Correct the value at the source, or the rule in the mapping"),
    ),
    "withdrawal-failed": FindingKind(
        N_("The entry is no longer in the source, but could not be withdrawn: {reason}"),
        N_("Open the entry, correct the field and withdraw it; the next run tries again"),
    ),
    "workbook-too-large": FindingKind(
        N_("The workbook reaches farther than {most} cells, or is too large once unpacked"),
        N_("Delete the cells far below and far to the right of the table, or deliver the table as CSV"),
    ),
}
