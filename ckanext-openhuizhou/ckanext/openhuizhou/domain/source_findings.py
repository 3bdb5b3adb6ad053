"""Kinds of findings about sources, their runs and records: what is found before there is an entry."""

from __future__ import annotations

from typing import Final

from .finding_kind import N_, FindingKind

#: Keep in alphabetical order; see ``findings.KINDS``.
SOURCE_KINDS: Final[dict[str, FindingKind]] = {
    "address-refused": FindingKind(
        N_("The address {value} is in a range that sources may not read"),
        N_("Ask the operator to add its host and port to ckanext.openhuizhou.allowed_hosts"),
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
    "conflict-priority": FindingKind(
        N_("“{value}” is in the catalogue already, from “{source}”, which comes first"),
        N_("Nothing needs to be done. If this source should come first, ask a platform officer for a higher priority"),
        "warning",
    ),
    "encoding-unknown": FindingKind(
        N_("The file is in no encoding that the platform reads; the first bad byte is number {offset}"),
        N_("Save the file as UTF-8 or GB18030 and deliver it again"),
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
    "record-unreadable": FindingKind(
        N_("The record could not be read: {reason}"),
        N_("Correct the record at the source and run the harvest again"),
    ),
    "rows-after-notes": FindingKind(
        N_("Row {row} looks like data but stands under the notes"),
        N_("Move the notes below the last row of the table, or name their beginning in the source’s configuration"),
    ),
    "run-ends-workers": FindingKind(
        N_("The run ended one worker after the other without getting further, and was given up"),
        N_("Ask the operator to look at the memory of the workers and at the record that comes next in the source"),
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
    "storage-full": FindingKind(
        N_("There is no room left to store the table; what was published before stays"),
        N_("Ask the operator to make room on the disk, then run the harvest again"),
    ),
    "table-missing": FindingKind(
        N_("The table “{value}” is listed but is not in the database"),
        N_("Create the table or view, or take its line out of the list"),
    ),
    "unexpected": FindingKind(
        N_("The record failed for a reason that the platform did not expect ({reason})"),
        N_("Ask the operator to look at the log; the other records went on"),
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
