"""Kinds of findings about the tables of files: their columns, and what the checks of the data found in the rows."""

from __future__ import annotations

from typing import Final

from .finding_kind import N_, FindingKind

#: Keep in alphabetical order; see ``findings.KINDS``.
TABLE_KINDS: Final[dict[str, FindingKind]] = {
    "query-column": FindingKind(
        N_("There is no column “{value}” in this table"),
        N_("Choose a column of the table"),
        "warning",
    ),
    "query-cursor": FindingKind(
        N_("The table has changed since this page was linked to, or the link is not whole"),
        N_("Begin again at the first page"),
        "warning",
    ),
    "query-no-text": FindingKind(
        N_("The table has no column of text in which “{value}” could be looked for"),
        N_("Compare with a column instead"),
        "warning",
    ),
    "query-op": FindingKind(
        N_("Column “{column}” is of type {data_type} and cannot be compared by “{value}”"),
        N_("Choose a comparison that the type has"),
        "warning",
    ),
    "query-slow": FindingKind(
        N_("The answer took too long and was given up"),
        N_("Ask for less: take a word or a condition out, or do not sort"),
        "warning",
    ),
    "query-too-long": FindingKind(
        N_("“{value}” is too much to look for at once"),
        N_("Look for {most} words at most"),
        "warning",
    ),
    "query-too-many": FindingKind(
        N_("“{value}” was not used: there are more than {most} of its kind"),
        N_("Ask for less at once"),
        "warning",
    ),
    "query-value": FindingKind(
        N_("Column “{column}”: “{value}” is not of type {data_type} and was not used"),
        N_("Type a value as the column has them"),
        "warning",
    ),
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
