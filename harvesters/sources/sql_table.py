"""Kind ``sql``: tables of a department's front database (前置库), all as they were at one moment."""

from __future__ import annotations

import datetime as dt
import hashlib
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from functools import partial
from itertools import islice
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError, SAWarning, SQLAlchemyError

from ckanext.openhuizhou.domain.findings import N_, Finding
from ckanext.openhuizhou.errors import SourceError, SourceMalformed, SourceUnreachable
from ckanext.openhuizhou.harvesters import statements
from ckanext.openhuizhou.harvesters.compare import digest
from ckanext.openhuizhou.harvesters.database import Snapshot
from ckanext.openhuizhou.harvesters.database_errors import explained
from ckanext.openhuizhou.harvesters.kinds import Option, SourceKind, source_kind
from ckanext.openhuizhou.harvesters.records import Row, SourceRecord
from ckanext.openhuizhou.harvesters.table_cells import TableRow, cell_readers, type_name, unreadable

_HASH_SIZE: Final = 1 << 256
#: Rows of a catalogue table; one of more is a table of data.
_MOST_TABLES: Final = 20_000


@source_kind
class SqlTable(SourceKind):
    """One record for each table, or for each row of a catalogue table."""

    name = "sql"
    title = N_("Tables of a database")
    description = N_("Tables or views of a front database, as they are at one moment")
    options = (
        Option(
            "dsn",
            required=True,
            secret=True,
            label=N_("Address of the database"),
            help=N_("As in postgresql://reader:password@host:5432/name, or mysql+pymysql://… for MariaDB"),
        ),
        Option(
            "schema",
            label=N_("Schema"),
            help=N_("The part of the database that the tables are in; empty for its default"),
        ),
        Option(
            "tables",
            (list,),
            label=N_("Tables"),
            help=N_("Names or patterns such as open_*; empty for all tables and views"),
        ),
        Option(
            "catalogue",
            label=N_("Catalogue table"),
            help=N_("A table that lists the others, one row each, with their description"),
        ),
        Option(
            "table_field",
            default="table_name",
            label=N_("Column with the table’s name"),
            help=N_("In the catalogue table"),
            rare=True,
        ),
        Option(
            "key",
            label=N_("Column with the key"),
            help=N_("In the catalogue table; empty when the table’s name is the key"),
        ),
        Option(
            "modified",
            label=N_("Column with the time of change"),
            help=N_("In the catalogue table; used for tables without a watermark"),
        ),
        Option(
            "watermark",
            label=N_("Watermark column"),
            help=N_("The column with the time of a row’s last change; with it, only tables that changed are read"),
        ),
        Option(
            "overlap",
            (int,),
            default=300,
            label=N_("Overlap in seconds"),
            help=N_("How late a row may become visible after the time that stands in it"),
            rare=True,
        ),
        Option(
            "statement_timeout",
            (int,),
            default=300,
            label=N_("Longest question in seconds"),
            help=N_("The database stops working on a question that takes longer"),
            rare=True,
        ),
    )

    def open(self) -> bool:
        schema = self.config["schema"]
        seconds = min(self.config["statement_timeout"], self.reading.seconds or self.config["statement_timeout"])
        try:
            self._snapshot = Snapshot(self.config["dsn"], self.reading.client.guard, seconds)
            inspector = self._inspector()
            self._names = sorted({*inspector.get_table_names(schema), *inspector.get_view_names(schema)})
        except SQLAlchemyError as error:
            raise explained(error) from error
        return True

    def close(self) -> None:
        if snapshot := getattr(self, "_snapshot", None):
            snapshot.dispose()

    def records(self) -> Iterator[SourceRecord]:
        try:
            entries = list(self._entries())
        except SQLAlchemyError as error:
            raise explained(error) from error
        self.reading.total = len(entries)
        for entry in entries:
            yield self._record(entry)

    def _inspector(self) -> sa.Inspector:
        return sa.inspect(self._snapshot.connection)

    def _entries(self) -> Iterator[dict[str, Any]]:
        catalogue = self.config["catalogue"]
        if catalogue is None:
            patterns = self.config["tables"] or ["*"]
            for name in self._names:
                if any(fnmatch(name, pattern) for pattern in patterns):
                    yield {self.config["table_field"]: name}
            return
        if catalogue not in self._names:
            raise SourceMalformed("The catalogue table {table} is not there", table=catalogue)
        query = statements.everything(catalogue, self.config["schema"])
        rows = [dict(row._mapping) for row in islice(self._snapshot.stream(query), _MOST_TABLES + 1)]
        if len(rows) > _MOST_TABLES:
            raise SourceMalformed(
                "The catalogue table {table} has more than {most} rows", table=catalogue, most=_MOST_TABLES
            )
        # a table without an order comes back in any order
        yield from sorted(rows, key=lambda row: str(row.get(self.config["table_field"])))

    def _record(self, entry: dict[str, Any]) -> SourceRecord:
        name = str(entry.get(self.config["table_field"]) or "")
        key = str(entry.get(self.config["key"]) or "") if self.config["key"] else name
        missing = SourceRecord(key=key, payload=entry, findings=(Finding("table-missing", value=name),))
        if name not in self._names:
            return missing
        try:
            with self._snapshot.apart():
                return self._described(key, name, entry)
        except NoSuchTableError:
            return missing
        except SQLAlchemyError as error:
            reason = explained(error)
            if isinstance(reason, SourceUnreachable):
                raise reason from error
            # a table that we may not read, or a view that does not work, is no reason to give up the others
            return SourceRecord(key=key, payload=entry, findings=(_unreadable_record(reason),))

    def _described(self, key: str, name: str, entry: Mapping[str, Any]) -> SourceRecord:
        columns = self._columns(name)
        names = [column["name"] for column in columns]
        order = [column["name"] for column in columns if column["key"]]
        refused = unreadable(columns)
        latest, data_digest = self._watermark(name, [one for one in names if one not in refused])
        modified = entry.get(self.config["modified"]) if self.config["modified"] else None
        return SourceRecord(
            key=key,
            modified=latest or (None if modified is None else str(modified)),
            payload={**entry, "table": name, "comment": self._comment(name), "columns": columns},
            data_digest=data_digest,
            data_rule="watermark" if data_digest else None,
            rows=partial(self._rows, name, columns, order),
        )

    def _columns(self, name: str) -> list[dict[str, Any]]:
        inspector, schema = self._inspector(), self.config["schema"]
        keys = set(inspector.get_pk_constraint(name, schema)["constrained_columns"])
        with warnings.catch_warnings():
            # a type that SQLAlchemy does not know is told to who maps it
            warnings.simplefilter("ignore", SAWarning)
            found = inspector.get_columns(name, schema)
        return [
            {
                "name": column["name"],
                "label": column.get("comment") or column["name"],
                "type": type_name(column["type"]),
                "length": getattr(column["type"], "length", None) or getattr(column["type"], "precision", None),
                "scale": getattr(column["type"], "scale", None),
                "key": column["name"] in keys,
            }
            for column in found
        ]

    def _comment(self, name: str) -> str:
        try:
            return (self._inspector().get_table_comment(name, self.config["schema"]) or {}).get("text") or ""
        except NotImplementedError:  # a database that has no comments
            return ""

    def _watermark(self, name: str, columns: list[str]) -> tuple[str | None, str | None]:
        """The latest change, and the digest that stands for the rows; None for what the table does not tell.

        The digest is of the number of rows, the latest time, and the rows of the last ``overlap`` seconds before it:
        of two changes in the same second, and of one that became visible late, the second is seen, too.
        """
        column, schema = self.config["watermark"], self.config["schema"]
        if column is None or column not in columns:
            return None, None
        summary = list(self._snapshot.connection.execute(statements.summary(name, schema, column)).one())
        latest = summary[2]
        if latest is None:
            return None, digest(summary) if summary[0] == 0 else None
        since = latest
        if isinstance(latest, dt.datetime):
            since = latest - dt.timedelta(seconds=self.config["overlap"])
        shown = latest.isoformat() if hasattr(latest, "isoformat") else str(latest)
        rows = self._snapshot.stream(statements.rows_since(name, schema, columns, column, since))
        return shown, digest([*summary, _hash_of(rows)])

    def _rows(self, name: str, columns: list[dict[str, Any]], order: list[str]) -> Iterator[Row]:
        refused = unreadable(columns)
        wanted = [column["name"] for column in columns if column["name"] not in refused]
        readers = cell_readers(columns)
        try:
            for cells in self._snapshot.stream(statements.rows(name, self.config["schema"], wanted, order)):
                row = dict(zip(wanted, cells, strict=True))
                for column, reader in readers:
                    row[column] = reader(row[column])
                yield TableRow(row, refused) if refused else row
        except SQLAlchemyError as error:
            raise explained(error) from error


def _hash_of(rows: Iterable[Sequence[Any]]) -> str:
    """A hash of rows in any order, none of them kept: the sum of each row's own."""
    total = 0
    for row in rows:
        total += int.from_bytes(hashlib.sha256(repr(tuple(row)).encode("utf-8", "backslashreplace")).digest(), "big")
    return str(total % _HASH_SIZE)


def _unreadable_record(error: SourceError) -> Finding:
    params = {"reason": str(error), "reason_message": error.message, "reason_params": dict(error.params)}
    return Finding("record-unreadable", params=params)
