"""Kind ``sql``: tables of a department's front database (前置库), read in a read-only transaction with a cursor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    NoSuchModuleError,
    NoSuchTableError,
    OperationalError,
    SQLAlchemyError,
)

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import (
    AddressRefused,
    SourceDenied,
    SourceError,
    SourceMalformed,
    SourceUnreachable,
)
from ckanext.openhuizhou.harvesters.compare import digest
from ckanext.openhuizhou.harvesters.kinds import Option, SourceKind, source_kind
from ckanext.openhuizhou.harvesters.records import Row, SourceRecord
from ckanext.openhuizhou.transport.guard import Guard

_FETCHED_ROWS = 2000
_DEFAULT_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "oracle": 1521, "mssql": 1433}
#: What a database URL may say besides its address. Drivers take much more from there: other addresses (host, hostaddr,
#: port, service, unix_socket), files of ours to read or to send (passfile, local_infile), settings that undo ours.
_URL_OPTIONS = frozenset({"charset", "client_encoding", "service_name", "sslmode", "sslrootcert"})
#: SQLSTATE classes and codes: 28 wrong password, 42501 no permission
_DENIED = re.compile(r"^(28|42501)")
_DENIED_TEXT = re.compile(
    r'password authentication failed|access denied|permission denied|role ".*" does not exist', re.I
)
#: 3D000 no such database, 3F000 schema, 42P01 table; what is refused while connecting has no code, only a text
_MISSING = frozenset({"3D000", "3F000", "42P01"})
_MISSING_TEXT = re.compile(r'database ".*" does not exist|unknown database', re.I)


@source_kind
class SqlTable(SourceKind):
    """One record for each table, or for each row of a catalogue table."""

    name = "sql"
    options = (
        Option("dsn", required=True),
        Option("schema"),
        Option("tables", (list,)),
        Option("catalogue"),
        Option("table_field", default="table_name"),
        Option("key"),
        Option("modified"),
        Option("watermark"),
        Option("statement_timeout", (int,), default=300),
    )

    def open(self) -> bool:
        try:
            self._engine = connect(self.config["dsn"], self.reading.client.guard, self.config["statement_timeout"])
            self._inspector = sa.inspect(self._engine)
            self._names = sorted(
                {
                    *self._inspector.get_table_names(self.config["schema"]),
                    *self._inspector.get_view_names(self.config["schema"]),
                }
            )
        except SQLAlchemyError as error:
            raise explained(error) from error
        return True

    def close(self) -> None:
        if engine := getattr(self, "_engine", None):
            engine.dispose()

    def records(self) -> Iterator[SourceRecord]:
        try:
            for entry in self._entries():
                yield self._record(entry)
        except SQLAlchemyError as error:
            raise explained(error) from error

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
        with self._engine.connect() as connection:
            table = sa.table(catalogue, schema=self.config["schema"])
            rows = connection.execute(sa.select(sa.text("*")).select_from(table)).mappings().all()
        # a table without an order comes back in any order
        yield from sorted((dict(row) for row in rows), key=lambda row: str(row.get(self.config["table_field"])))

    def _record(self, entry: dict[str, Any]) -> SourceRecord:
        name = str(entry.get(self.config["table_field"]) or "")
        key = str(entry.get(self.config["key"]) or "") if self.config["key"] else name
        modified = entry.get(self.config["modified"]) if self.config["modified"] else None
        if name not in self._names:
            return SourceRecord(key=key, payload=entry, findings=(Finding("table-missing", value=name),))
        try:
            columns = self._columns(name)
            watermark = self._watermark(name, {column["name"] for column in columns})
        except NoSuchTableError:
            return SourceRecord(key=key, payload=entry, findings=(Finding("table-missing", value=name),))
        return SourceRecord(
            key=key,
            modified=watermark[1] if watermark and watermark[1] else None if modified is None else str(modified),
            payload={**entry, "table": name, "comment": self._comment(name), "columns": columns},
            data_digest=digest(watermark) if watermark else None,
            rows=partial(self._rows, name, [column["name"] for column in columns]),
        )

    def _columns(self, name: str) -> list[dict[str, Any]]:
        keys = set(self._inspector.get_pk_constraint(name, self.config["schema"])["constrained_columns"])
        return [
            {
                "name": column["name"],
                "label": column.get("comment") or column["name"],
                "type": column["type"].__visit_name__.lower(),
                "length": getattr(column["type"], "length", None) or getattr(column["type"], "precision", None),
                "scale": getattr(column["type"], "scale", None),
                "key": column["name"] in keys,
            }
            for column in self._inspector.get_columns(name, self.config["schema"])
        ]

    def _comment(self, name: str) -> str:
        try:
            return (self._inspector.get_table_comment(name, self.config["schema"]) or {}).get("text") or ""
        except NotImplementedError:  # a database that has no comments
            return ""

    def _watermark(self, name: str, columns: set[str]) -> tuple[int, str | None] | None:
        """Count and latest update: together they tell whether rows were added, changed or removed."""
        column = self.config["watermark"]
        if column is None or column not in columns:
            return None
        table = sa.table(name, sa.column(column), schema=self.config["schema"])
        with self._engine.connect() as connection:
            count, latest = connection.execute(sa.select(sa.func.count(), sa.func.max(table.c[column]))).one()
        return count, None if latest is None else latest.isoformat() if hasattr(latest, "isoformat") else str(latest)

    def _rows(self, name: str, columns: list[str]) -> Iterator[Row]:
        table = sa.table(name, *(sa.column(column) for column in columns), schema=self.config["schema"])
        order = self._inspector.get_pk_constraint(name, self.config["schema"])["constrained_columns"]
        query = sa.select(*table.c).order_by(*(table.c[column] for column in order))
        try:
            with self._engine.connect() as connection:
                result = connection.execution_options(yield_per=_FETCHED_ROWS).execute(query)
                for row in result:
                    yield dict(zip(columns, row, strict=True))
        except SQLAlchemyError as error:
            raise explained(error) from error


def connect(dsn: str, guard: Guard, statement_timeout: int) -> sa.Engine:
    """An engine whose connections go to checked addresses and can only read.

    Raises:
        SourceMalformed: the address is not a database URL, says more than it may, or its driver is not installed.
        AddressRefused: nobody approved it.
    """
    try:
        url = sa.make_url(dsn)
        backend = url.get_backend_name()
        # without a host, PostgreSQL's "host" is the folder of a socket
        socket_folder = url.query.get("host") if backend == "postgresql" and not url.host else None
        known = _URL_OPTIONS | ({"host"} if socket_folder else set())
        if unknown := sorted(set(url.query) - known):
            raise SourceMalformed("The database URL may not say {options}", options=", ".join(unknown))
        arguments: dict[str, Any] = {}
        if socket_folder:
            _check_socket(socket_folder, guard)
        elif backend == "sqlite" and url.database and not url.host:
            guard.folder(url.database)
        elif backend in _DEFAULT_PORTS and url.host:
            addresses = guard.addresses(url.host, url.port or _DEFAULT_PORTS[backend])
            if backend == "postgresql":
                # the name stays for the certificate, the connection goes to the address
                arguments["hostaddr"] = addresses[0]
            else:
                url = url.set(host=addresses[0])
        else:
            raise SourceMalformed("The database URL names no host")
        if backend == "postgresql":
            timeout = f"-c statement_timeout={statement_timeout * 1000} -c default_transaction_read_only=on"
            arguments |= {"connect_timeout": 10, "options": timeout}
        return sa.create_engine(url, connect_args=arguments, poolclass=sa.pool.NullPool, future=True)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise SourceMalformed("The database URL cannot be used ({reason})", reason=type(error).__name__) from error


def _check_socket(folder: str | tuple[str, ...], guard: Guard) -> None:
    """A folder below an allowed root. What has no slash in front is a host to libpq, and a comma makes two of one."""
    if not isinstance(folder, str) or not folder.startswith("/") or "," in folder:
        raise AddressRefused("{address} may not be read", address=str(folder))
    guard.folder(folder)


def explained(error: SQLAlchemyError) -> SourceError:
    """What a database error means for the source; texts of drivers can hold passwords and rows, so they stay out."""
    code = str(getattr(getattr(error, "orig", None), "pgcode", "") or "")
    text = str(getattr(error, "orig", error))
    if _DENIED.match(code) or (isinstance(error, OperationalError) and _DENIED_TEXT.search(text)):
        return SourceDenied("The database refuses access ({code})", code=code or "login")
    if code in _MISSING or (isinstance(error, OperationalError) and _MISSING_TEXT.search(text)):
        return SourceMalformed("The database, or a table of it, is not there ({code})", code=code or "3D000")
    if isinstance(error, OperationalError) and not code:
        return SourceUnreachable("The database does not answer")
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return SourceUnreachable("The database closed the connection")
    return SourceMalformed("The database cannot be read ({code})", code=code or type(error).__name__)
