"""Departments' databases: connected to at checked addresses only, read only, one snapshot for a whole run.

What differs between the databases is declared in ``DATABASES``. PostgreSQL and MariaDB (and MySQL) are proven on real
servers; Oracle, SQL Server and 达梦 need the package's extra of that name, and their dialects are proven without a
server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, InvalidRequestError, NoSuchModuleError

from ckanext.openhuizhou.errors import AddressRefused, SourceMalformed
from ckanext.openhuizhou.transport.guard import Guard

#: Seconds for a connection to be set up.
CONNECT_SECONDS: Final = 10
#: Rows that are fetched at once.
FETCHED_ROWS: Final = 2000
#: Seconds that a server waits until we take the next rows: between two of them lies what we do with them.
_PATIENCE_SECONDS: Final = 3600
_ACCESS_MODE_READ_ONLY, _ISOLATION_SERIALIZABLE = 1, 3  # dmPython's constants


def _mysql_session(seconds: int) -> str:
    """One statement for both: MariaDB and MySQL each read only their own kind of comment."""
    return (
        f"SET SESSION net_write_timeout={_PATIENCE_SECONDS}"
        f" /*M!100101 , max_statement_time={seconds} */ /*!50708 , max_execution_time={seconds * 1000} */"
    )


@dataclass(frozen=True, slots=True)
class Database:
    """How one kind of database is read without doing it harm.

    ``arguments``: of the driver's ``connect``, from the seconds that a statement may take. ``session``: statements for
    each new connection. ``begin``: statements that begin the transaction. ``stream``: before and after a table is
    streamed. ``pinned``: the driver's argument for the checked address; without it, it takes the place of the name.
    ``abandon``: lets go of a cursor in the middle of a table, after which the connection is of no use. ``fragile``: a
    statement that fails spoils the transaction. ``database``: whether the URL must, may (None) or must not name one.
    ``prepare``: of each new connection.
    """

    port: int
    url_options: frozenset[str]
    arguments: Callable[[int], Mapping[str, Any]]
    isolation: str | None = None
    session: Callable[[int], Sequence[str]] = lambda _seconds: ()
    begin: tuple[str, ...] = ()
    stream: Callable[[int], tuple[str, str] | None] = lambda _seconds: None
    pinned: str | None = None
    abandon: Callable[[Any], None] | None = None
    fragile: bool = False
    database: bool | None = None
    prepare: Callable[[Any, int], None] = lambda _connection, _seconds: None


def _postgresql(seconds: int) -> dict[str, Any]:
    settings = f"-c statement_timeout={seconds * 1000} -c default_transaction_read_only=on"
    # a line that died without a word is noticed after a minute
    alive = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
    return {"connect_timeout": CONNECT_SECONDS, "options": settings, **alive}


def _mysql(seconds: int) -> dict[str, Any]:
    # the server's own limit comes first, so that it stops working, too
    return {"connect_timeout": CONNECT_SECONDS, "read_timeout": seconds + 10, "local_infile": False}


def _dameng(seconds: int) -> dict[str, Any]:
    return {
        "login_timeout": CONNECT_SECONDS,
        "connection_timeout": seconds,
        "access_mode": _ACCESS_MODE_READ_ONLY,
        "txn_isolation": _ISOLATION_SERIALIZABLE,
    }


def _abandon_mysql(cursor: Any) -> None:
    """Otherwise PyMySQL fetches all the other rows before it closes a cursor, or a connection."""
    if cursor._result is not None:
        cursor._result.unbuffered_active = False


def _oracle_call_timeout(connection: Any, seconds: int) -> None:
    connection.call_timeout = seconds * 1000


_MYSQL: Final = Database(
    3306,
    frozenset({"charset"}),
    _mysql,
    isolation="REPEATABLE READ",
    session=lambda seconds: ("SET SESSION TRANSACTION READ ONLY", _mysql_session(seconds)),
    begin=("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",),
    # a statement lasts until its last row is taken, and how long that is, is up to us
    stream=lambda seconds: (_mysql_session(0), _mysql_session(seconds)),
    abandon=_abandon_mysql,
)
#: What a database URL may say besides its address (``url_options``). Drivers take much more from there: other addresses
#: (host, hostaddr, port, service, unix_socket), files of ours to read or to send (passfile, local_infile), settings
#: that undo ours.
DATABASES: Final[dict[str, Database]] = {
    "postgresql": Database(
        5432,
        frozenset({"client_encoding", "sslmode", "sslrootcert"}),
        _postgresql,
        isolation="REPEATABLE READ",
        # before PostgreSQL 9.6 there is no such setting, and nothing to set
        session=lambda _seconds: (
            "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'",
        ),
        pinned="hostaddr",  # the name stays for the certificate
        fragile=True,
    ),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "oracle": Database(
        1521,
        frozenset({"service_name"}),
        lambda _seconds: {"tcp_connect_timeout": CONNECT_SECONDS},
        begin=("SET TRANSACTION READ ONLY",),
        # without one the driver takes the host for a name in its own list, and forgets the port
        database=True,
        prepare=_oracle_call_timeout,
    ),
    # it has no read-only session: the login's rights have to say so; we never commit
    "mssql": Database(
        1433,
        frozenset({"charset"}),
        lambda seconds: {"login_timeout": CONNECT_SECONDS, "timeout": seconds},
    ),
    "dm": Database(5236, frozenset(), _dameng, database=False),
}


def connect(dsn: str, guard: Guard, statement_timeout: int) -> sa.Engine:
    """An engine whose connections go to checked addresses and only read. ``statement_timeout`` in seconds.

    Raises:
        SourceMalformed: the address is not a database URL, says more than it may, or its driver is not installed.
        AddressRefused: nobody approved it.
    """
    try:
        url = sa.make_url(dsn)
        database = DATABASES.get(url.get_backend_name())
        if database is None:
            raise SourceMalformed("No kind of database is called {name}", name=url.get_backend_name())
        # without a host, PostgreSQL's "host" is the folder of a socket
        socket_folder = url.query.get("host") if database.pinned == "hostaddr" and not url.host else None
        known = database.url_options | ({"host"} if socket_folder else set())
        if unknown := sorted(set(url.query) - known):
            raise SourceMalformed("The database URL may not say {options}", options=", ".join(unknown))
        arguments = dict(database.arguments(statement_timeout))
        if socket_folder:
            _check_socket(socket_folder, guard)
        else:
            url = _pinned(url, database, guard, arguments)
        isolation = {"isolation_level": database.isolation} if database.isolation else {}
        engine = sa.create_engine(url, connect_args=arguments, poolclass=sa.pool.NullPool, **isolation)
    except (ArgumentError, NoSuchModuleError, ImportError, InvalidRequestError) as error:
        raise SourceMalformed("The database URL cannot be used ({reason})", reason=type(error).__name__) from error

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        database.prepare(connection, statement_timeout)
        for statement in database.session(statement_timeout):
            with connection.cursor() as cursor:
                cursor.execute(statement)
            # a setting that is rolled back is none, and the snapshot begins later
            connection.commit()

    return engine


def _pinned(url: sa.URL, database: Database, guard: Guard, arguments: dict[str, Any]) -> sa.URL:
    """The URL with the address that was checked; ``arguments`` has it when the name has to stay."""
    if not url.host:
        raise SourceMalformed("The database URL names no host")
    named = bool(url.database or url.query.get("service_name"))
    if database.database not in (None, named):
        raise SourceMalformed("The database URL must name a database" if database.database else _NO_DATABASE)
    addresses = guard.addresses(url.host, url.port or database.port)
    if database.pinned:
        arguments[database.pinned] = addresses[0]
        return url
    return url.set(host=addresses[0], port=url.port or database.port)


_NO_DATABASE: Final = "The database URL must not name a database; option schema is for that"


def _check_socket(folder: str | tuple[str, ...], guard: Guard) -> None:
    """A folder below an allowed root. What has no slash in front is a host to libpq, and a comma makes two of one."""
    if not isinstance(folder, str) or not folder.startswith("/") or "," in folder:
        raise AddressRefused("{address} may not be read", address=str(folder))
    guard.folder(folder)


class Snapshot:
    """One connection with one read-only transaction: every table as it was at the same moment.

    A connection that broke is set up anew at the next question; what is read from then on is of a later moment.
    """

    def __init__(self, dsn: str, guard: Guard, statement_timeout: int) -> None:
        self._engine = connect(dsn, guard, statement_timeout)
        self._seconds = statement_timeout
        self._database = DATABASES[self._engine.url.get_backend_name()]
        self._connection: sa.Connection | None = None

    @property
    def connection(self) -> sa.Connection:
        """In its transaction; the first use opens both."""
        if self._connection is not None and self._connection.invalidated:
            self.close()
        if self._connection is None:
            connection = self._engine.connect()
            for statement in self._database.begin:
                connection.exec_driver_sql(statement)
            self._connection = connection
        return self._connection

    def apart(self) -> AbstractContextManager[Any]:
        """Around what may fail without spoiling the rest of the transaction."""
        return self.connection.begin_nested() if self._database.fragile else nullcontext()

    def stream(self, query: sa.Select[Any]) -> Iterator[sa.Row[Any]]:
        """The rows of a query, as the server hands them out; only a few of them in memory."""
        with self.apart(), self._unhurried():
            connection = self.connection
            result = connection.execute(query, execution_options={"yield_per": FETCHED_ROWS})
            whole = False
            try:
                yield from result
                whole = True
            finally:
                abandon = None if whole else self._database.abandon
                if abandon and result.cursor is not None:
                    abandon(result.cursor)
                    result.close()
                    connection.invalidate()
                result.close()

    @contextmanager
    def _unhurried(self) -> Iterator[None]:
        """While rows are handed out, no limit of time for the statement as a whole."""
        before, after = self._database.stream(self._seconds) or (None, None)
        connection = self.connection
        if before:
            connection.exec_driver_sql(before)
        try:
            yield
        finally:
            if after and not connection.invalidated:
                connection.exec_driver_sql(after)

    def close(self) -> None:
        """End the transaction and the connection; nothing was written, so nothing is kept."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def dispose(self) -> None:
        """``close`` for good."""
        self.close()
        self._engine.dispose()
