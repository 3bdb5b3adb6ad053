"""Kinds of findings about the tables of files: their columns, and what the checks of the data found in the rows."""

from __future__ import annotations

from typing import Final

from .finding_kind import N_, FindingKind

#: Keep in alphabetical order; see ``findings.KINDS``.
TABLE_KINDS: Final[dict[str, FindingKind]] = {
    "table-column-closed": FindingKind(
        N_("Column “{column}” is not public in this entry and was left out"),
        N_("Nothing needs to be done; leave the column out of the file if it need not leave the department"),
        "info",
    ),
    "table-column-duplicate": FindingKind(
        N_("The file has {count} columns for “{column}”: number {first} and number {second}"),
        N_("Keep one of the columns, or give the others names of their own"),
    ),
    "table-column-extra": FindingKind(
        N_("Column “{column}” (number {place}) is no item of the entry and was left out"),
        N_("Add the item to the entry if the column is meant to be public, or correct the header"),
        "warning",
    ),
    "table-column-missing": FindingKind(
        N_("The file has no column “{column}” ({value})"),
        N_("Add the column to the file, or write its header as the item is called in the entry"),
    ),
}
