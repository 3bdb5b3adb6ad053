"""What the kinds that read a drop folder share: the manifest, the files, and what is remembered of each file."""

from __future__ import annotations

import csv
import io
import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from functools import partial
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Final

from ckanext.openhuizhou.data.workbook import open_sheet
from ckanext.openhuizhou.domain.findings import N_, Finding
from ckanext.openhuizhou.errors import DecodingError, RecordRefused, SourceMalformed, StorageFull
from ckanext.openhuizhou.harvesters.compare import digest
from ckanext.openhuizhou.harvesters.kinds import TOKEN_OPTIONS, Option, SourceKind, authorized
from ckanext.openhuizhou.harvesters.records import Row, SourceRecord
from ckanext.openhuizhou.harvesters.rules import lookup
from ckanext.openhuizhou.transport import decoding
from ckanext.openhuizhou.transport.folder_address import open_folder
from ckanext.openhuizhou.transport.folders import Folder
from ckanext.openhuizhou.transport.http import HttpClient
from ckanext.openhuizhou.transport.sftp import Login

#: How the server of a folder is told who asks; shared by every kind that reads a folder.
ACCESS_OPTIONS: Final = (
    Option(
        "subfolders",
        (bool,),
        label=N_("With sub-folders"),
        help=N_("Yes by default for local folders and SFTP, no for pages that list files"),
        rare=True,
    ),
    *TOKEN_OPTIONS,
    Option("user", default="", label=N_("User"), help=N_("Only for SFTP"), rare=True),
    Option("password", secret=True, label=N_("Password"), help=N_("Only for SFTP. It is stored encrypted."), rare=True),
    Option(
        "private_key",
        secret=True,
        label=N_("Private key"),
        help=N_(
            "Only for SFTP: the text of the key file, without passphrase, in place of a password. Stored encrypted."
        ),
        rare=True,
    ),
    Option(
        "host_key",
        default="",
        label=N_("Host key of the server"),
        help=N_("Only for SFTP: the line of known_hosts. This or the fingerprint is needed."),
        rare=True,
    ),
    Option(
        "fingerprint",
        default="",
        label=N_("Fingerprint of the host key"),
        help=N_("Only for SFTP: as ssh-keygen -l shows it (SHA256:…)"),
        rare=True,
    ),
)
FOLDER_OPTIONS: Final = (
    Option(
        "url",
        required=True,
        label=N_("Address of the folder"),
        help=N_("https://… a page that lists files; sftp://host/path; or a folder of this machine that is allowed"),
    ),
    *ACCESS_OPTIONS,
    Option(
        "manifest",
        label=N_("List of the data sets"),
        help=N_("A .csv, .json or .xlsx file in the folder, one row for each data set. Without it each file is one."),
    ),
    Option("file", default="文件名", label=N_("Field with the file name"), help=N_("A column of the list")),
    Option("key", label=N_("Field with the key"), help=N_("What stays the same for ever; the file name by default")),
    Option("modified", label=N_("Field with the time of change"), help=N_("A column of the list")),
)


def folder_at(config: Mapping[str, Any], client: HttpClient) -> Folder:
    """The folder that a configuration with ``url`` and ``ACCESS_OPTIONS`` names; ``client`` already sends the token."""
    login = Login(
        user=config["user"],
        password=config["password"] or "",
        private_key=config["private_key"] or "",
        host_key=config["host_key"],
        fingerprint=config["fingerprint"],
    )
    return open_folder(config["url"], client, login, subfolders=config["subfolders"])


_MOST_MANIFEST_BYTES: Final = 16 << 20
_MOST_MANIFEST_ROWS: Final = 50_000
#: More columns than any table can hold.
MOST_COLUMNS: Final = 2000


class FolderKind(SourceKind):
    """A folder of files, one record for each file, or for each row of a manifest."""

    def open(self) -> bool:
        self._client = authorized(self.reading.client, self.config)
        self.folder = folder_at(self.config, self._client)
        self._names = self.folder.names()
        return True

    def records(self) -> Iterator[SourceRecord]:
        entries = list(self._entries())
        self.reading.total = len(entries)
        for entry in entries:
            yield self._record(entry)

    def close(self) -> None:
        if (folder := getattr(self, "folder", None)) is not None:
            folder.close()
        if (client := getattr(self, "_client", None)) is not None:
            client.close()

    @abstractmethod
    def describe(self, stream: BinaryIO, entry: Mapping[str, Any]) -> dict[str, Any]:
        """What can be said of the file: ``columns``, and what ``rows`` needs to know. JSON-ready; remembered.

        Raises:
            RecordRefused, DecodingError: the file cannot be read.
        """

    @abstractmethod
    def rows(self, stream: BinaryIO, description: Mapping[str, Any]) -> Iterator[Row]:
        """The rows of the table; closes ``stream``."""

    def _entries(self) -> Iterator[Mapping[str, Any]]:
        manifest = self.config["manifest"]
        if manifest is None:
            pattern = self.config["pattern"]
            for name in self._names:
                if fnmatch(PurePosixPath(name).name, pattern):
                    yield {self.config["file"]: name, "file": name}
            return
        try:
            with self.folder.open(manifest) as stream:
                content = stream.read(_MOST_MANIFEST_BYTES + 1)
        except FileNotFoundError as error:
            raise SourceMalformed("The list {name} is not in the folder", name=manifest) from error
        except RecordRefused as error:
            reason = str(error.findings[0].params.get("reason") or error.findings[0].kind)
            raise SourceMalformed("The list {name} cannot be read ({reason})", name=manifest, reason=reason) from error
        if len(content) > _MOST_MANIFEST_BYTES:
            raise SourceMalformed("The list {name} is too large", name=manifest)
        yield from read_manifest(manifest, content)

    def _record(self, entry: Mapping[str, Any]) -> SourceRecord:
        name = str(entry.get(self.config["file"]) or "")
        key = str(lookup(entry, self.config["key"]) or "") if self.config["key"] else name
        modified = lookup(entry, self.config["modified"]) if self.config["modified"] else None
        modified = None if modified is None else str(modified)
        known = {} if self.reading.full else self.reading.record_states(key)
        try:
            if not name:
                raise FileNotFoundError(self.config["file"])
            fetched = self.folder.fetch(name, known)
            described_by = digest([self.config, {k: str(v) for k, v in entry.items()}])
            if fetched.unchanged and known.get("described_by") == described_by:
                description = known["description"]
            else:
                with self.folder.open(name) as stream:
                    description = self.describe(stream, entry)
        except FileNotFoundError as error:
            return self._refused(key, entry, Finding("file-missing", value=name or str(error)))
        except StorageFull:
            return self._refused(key, entry, Finding("storage-full"))
        except DecodingError as error:
            return self._refused(key, entry, Finding("encoding-unknown", value=name, params=error.params))
        except RecordRefused as error:
            return self._refused(key, entry, *error.findings)
        return SourceRecord(
            key=key,
            modified=modified,
            payload={**entry, **description},
            data_digest=fetched.digest,
            data_rule=fetched.rule,
            rows=partial(self._open_rows, name, description),
            state={**fetched.state, "description": description, "described_by": described_by},
        )

    def _open_rows(self, name: str, description: Mapping[str, Any]) -> Iterator[Row]:
        try:
            return self.rows(self.folder.open(name), description)
        except FileNotFoundError as error:
            raise SourceMalformed("The file {name} cannot be read any more", name=name) from error

    @staticmethod
    def _refused(key: str, entry: Mapping[str, Any], *findings: Finding) -> SourceRecord:
        return SourceRecord(key=key, payload=entry, findings=findings)


def read_manifest(name: str, content: bytes) -> Iterator[dict[str, Any]]:
    """The rows of a manifest (``.csv``, ``.json`` or an Excel workbook) as dicts of its headers.

    Raises:
        SourceMalformed: it cannot be read.
    """
    suffix = PurePosixPath(name).suffix.lower()
    try:
        if suffix == ".json":
            document = json.loads(decoding.decode(content))
            rows = document if isinstance(document, list) else next(v for v in document.values() if isinstance(v, list))
        elif suffix in (".xlsx", ".xls", ".xlsm", ".ods"):
            rows = list(_workbook_rows(content))
        else:
            rows = list(csv.DictReader(io.StringIO(decoding.decode(content), newline="")))
    except RecordRefused as error:
        reason = str(error.findings[0].params.get("reason") or error.findings[0].kind)
        raise SourceMalformed("The list {name} cannot be read ({reason})", name=name, reason=reason) from error
    except (ValueError, StopIteration, AttributeError, DecodingError, csv.Error, RecursionError) as error:
        raise SourceMalformed("The list {name} cannot be read ({reason})", name=name, reason=str(error)) from error
    for row in rows:
        if not isinstance(row, dict):
            raise SourceMalformed("The list {name} cannot be read ({reason})", name=name, reason="not a table")
        # a row that is longer than the header has a None key in csv.DictReader
        clean = {str(key).strip(): value for key, value in row.items() if key is not None}
        if any(value not in (None, "") for value in clean.values()):
            yield clean


def _workbook_rows(content: bytes) -> Iterator[dict[str, Any]]:
    """The header is the first row with the most texts; lists have title rows too."""
    with open_sheet(io.BytesIO(content), None) as sheet:
        rows = list(islice(sheet.rows, _MOST_MANIFEST_ROWS + 1))
    if len(rows) > _MOST_MANIFEST_ROWS:
        raise RecordRefused([Finding("record-unreadable", params={"reason": f"> {_MOST_MANIFEST_ROWS}"})])
    filled = [sum(cell not in (None, "") for cell in row) for row in rows[:20]]
    start = filled.index(max(filled, default=0)) if filled else 0
    header = [str(cell).strip() for cell in rows[start]] if rows else []
    for row in rows[start + 1 :]:
        yield {name: cell for name, cell in zip(header, row, strict=False) if name}
