"""Kinds of findings about the tables of files: their columns, and what the checks of the data found in the rows."""

from __future__ import annotations

from typing import Final

from .finding_kind import N_, FindingKind

#: Keep in alphabetical order; see ``findings.KINDS``.
TABLE_KINDS: Final[dict[str, FindingKind]] = {
    "cell-code": FindingKind(
        N_("Row {row}, column “{column}”: “{value}” is not in the code list"),
        N_("Write one of the codes, or add the code to the item in the entry"),
    ),
    "cell-digits-lost": FindingKind(
        N_("Row {row}, column “{column}”: a spreadsheet program has dropped digits of “{value}”"),
        N_("Format the column as text at the source before the numbers are typed or imported, and export it again"),
    ),
    "cell-empty": FindingKind(
        N_("Row {row}, column “{column}” is empty"),
        N_("Fill in the value; if it may be missing, say so in the item of the entry"),
    ),
    "cell-length": FindingKind(
        N_("Row {row}, column “{column}”: {length} characters where {most} are allowed: “{value}”"),
        N_("Shorten the text, or correct the length of the item in the entry"),
        "warning",
    ),
    "cell-mojibake": FindingKind(
        N_("Row {row}, column “{column}”: the text was decoded wrongly at the source: “{value}”"),
        N_("Export the table anew in UTF-8 from the system where it comes from"),
        "warning",
    ),
    "cell-pattern": FindingKind(
        N_("Row {row}, column “{column}”: “{value}” does not have the form {pattern}"),
        N_("Correct the value, or the pattern of the item in the entry"),
    ),
    "cell-range": FindingKind(
        N_("Row {row}, column “{column}”: “{value}” is not within {limits}"),
        N_("Correct the value, or the limits of the item in the entry"),
    ),
    "cell-unit": FindingKind(
        N_("Row {row}, column “{column}”: “{value}” has another unit than the item declares"),
        N_("Write all figures of the column in the unit of the item, or correct the unit in the entry"),
    ),
    "check-more": FindingKind(
        N_("Column “{column}”: {count} more values of this kind ({check})"),
        N_("The table of bad rows has more of them"),
    ),
    "check-more-rows": FindingKind(
        N_("{count} more rows of this kind ({check})"),
        N_("The table of bad rows has more of them"),
    ),
    "column-empty": FindingKind(
        N_("Column “{column}” has no value in any row"),
        N_("Fill the column at the source, or take the item out of the entry"),
        "warning",
    ),
    "derive-failed": FindingKind(
        N_("What follows from the table could not be made: {step} ({reason})"),
        N_("Tell the platform; its log says why. The table itself is published"),
    ),
    "file-kind": FindingKind(
        N_("The file is no table but {found}, whatever its name says"),
        N_("Deliver the table itself, as CSV or as a workbook"),
    ),
    "findings-more": FindingKind(
        N_("{count} more findings are not listed"),
        N_("Mend what is listed and load the file again"),
    ),
    "formula-without-value": FindingKind(
        N_("Sheet “{sheet}”: {count} formulas have no value stored with them, the first in cell {place}"),
        N_("Open the workbook in a spreadsheet program, save it, and deliver it again"),
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
    "job-ends-workers": FindingKind(
        N_("The load ended {count} workers one after the other and was given up"),
        N_("The file may be too large for the memory of this server: divide it, or tell the platform"),
    ),
    "job-file-gone": FindingKind(
        N_("The file “{value}” is not kept any more"),
        N_("Upload it once more"),
    ),
    "job-resource-gone": FindingKind(
        N_("The resource was deleted before its file was loaded"),
        N_("Make the resource once more and upload the file to it"),
    ),
    "job-unexpected": FindingKind(
        N_("The load failed for a reason that nobody foresaw ({reason}); what was published before stays"),
        N_("Try again; if it fails once more, tell the platform, whose log says why"),
    ),
    "merge-columns": FindingKind(
        N_("The published table has other columns than the entry; rows cannot join it"),
        N_("Load the whole table once, then add rows to it"),
    ),
    "merge-key-empty": FindingKind(
        N_("Row {row} has no value in the key ({column})"),
        N_("Fill in the key; without it nobody can tell which row is meant"),
    ),
    "merge-key-twice": FindingKind(
        N_("Rows {first} and {row} of the file have the same key ({column})"),
        N_("Keep one of the rows"),
    ),
    "merge-key-undeclared": FindingKind(
        N_("No item of the entry is marked as key"),
        N_("Mark the items that tell the rows apart, or load the whole table"),
    ),
    "merge-table-edited": FindingKind(
        N_("Somebody has written into the published table past the loader"),
        N_("Load the whole table once, then add rows to it"),
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
    "row-duplicate": FindingKind(
        N_("Row {row} is the same as row {first}"),
        N_("Delete the row; if both are meant, add a column that tells them apart"),
        "warning",
    ),
    "row-key-duplicate": FindingKind(
        N_("Row {row}: the key “{value}” stands in row {first} already"),
        N_("Correct the key, or delete the row that is out of date"),
    ),
    "row-sum": FindingKind(
        N_("Row {row} begins with “{value}”: it is no row of data"),
        N_("Delete sums and notes from the table"),
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
    "table-discarded": FindingKind(
        N_("An officer has looked at exactly these rows and does not publish them"),
        N_("Correct the rows at the source; other rows are looked at anew"),
    ),
    "table-held": FindingKind(
        N_("The table waits for an officer who may publish: see its checks"),
        N_("Look at the findings, then publish or discard the rows on the page of the checks"),
        "warning",
    ),
    "table-rows-fewer": FindingKind(
        N_("The table has {rows} rows, the published one {before}"),
        N_("Check whether the whole table was delivered"),
    ),
    "table-rows-more": FindingKind(
        N_("The table has {rows} rows, the published one {before}"),
        N_("Check whether rows were delivered twice"),
        "warning",
    ),
    "workbook-password": FindingKind(
        N_("The workbook is locked with a password"),
        N_("Remove the password and deliver the workbook again"),
    ),
}
