"""Kinds of findings about the tables of files: their columns, and what the checks of the data found in the rows."""

from __future__ import annotations

from typing import Final

from .finding_kind import N_, FindingKind

#: Keep in alphabetical order; see ``findings.KINDS``.
TABLE_KINDS: Final[dict[str, FindingKind]] = {
    "cell-digits-lost": FindingKind(
        N_("Row {row}, column “{column}”: a spreadsheet program has dropped digits of “{value}”"),
        N_("Format the column as text at the source before the numbers are typed or imported, and export it again"),
    ),
    "cell-unit": FindingKind(
        N_("Row {row}, column “{column}”: “{value}” has another unit than the item declares"),
        N_("Write all figures of the column in the unit of the item, or correct the unit in the entry"),
    ),
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
    "item-codes-invalid": FindingKind(
        N_("Item {row}: the code list has values that are not of type {data_type}, twice the same value, or none"),
        N_("Write codes with their meaning, as 1=male; 2=female, or values alone, separated by semicolons"),
    ),
    "item-codes-too-many": FindingKind(
        N_("Item {row}: the code list has {count} values; at most {most} are checked"),
        N_("Publish the code list as a dataset of its own and name it in the description"),
    ),
    "item-limit-invalid": FindingKind(
        N_("Item {row}: “{value}” is no limit for values of type {data_type}"),
        N_("Write a number for numbers and a date for dates; other types have no limits"),
    ),
    "item-limits-crossed": FindingKind(
        N_("Item {row}: the least value “{value}” lies above the greatest, “{maximum}”"),
        N_("Exchange the two limits"),
    ),
    "item-pattern-invalid": FindingKind(
        N_("Item {row}: “{value}” is no regular expression that can be checked, or has more than {most} characters"),
        N_("Write a regular expression of RE2 for the whole value, for example 441[0-9]{{3}}"),
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
