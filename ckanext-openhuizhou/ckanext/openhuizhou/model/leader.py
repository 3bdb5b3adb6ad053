"""One process of several leads: it holds an advisory lock of PostgreSQL on a connection of its own.

The lock is the connection's: when the process is killed, or its machine is gone, the database gives it to another.
"""

from __future__ import annotations

import logging
import os
import socket
from contextlib import suppress
from typing import Any, Final

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ckanext.openhuizhou.model.database import engine

log = logging.getLogger(__name__)

#: A peer that is silent for about 20 seconds is gone, on both sides of the connection.
_CLIENT: Final[dict[str, Any]] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_SERVER: Final = ("tcp_keepalives_idle = 10", "tcp_keepalives_interval = 3", "tcp_keepalives_count = 3")


class Leader:
    """The lock ``name``. The connection shows under ``application_name`` in ``pg_stat_activity``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.application_name = application_name(name, os.getpid())
        self._engine = sa.create_engine(
            tk.config["sqlalchemy.url"],
            poolclass=sa.pool.NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={**_CLIENT, "application_name": self.application_name},
        )
        self._connection: sa.Connection | None = None
        self._held = False

    def leads(self) -> bool:
        """Whether this process leads now. Asks the database each time, and for the lock while it is another's."""
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
                for setting in _SERVER:
                    self._connection.exec_driver_sql(f"SET {setting}")
            if self._held:
                self._connection.exec_driver_sql("SELECT 1")
            else:
                query = sa.text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
                self._held = bool(self._connection.execute(query, {"name": self.name}).scalar())
        except SQLAlchemyError as error:
            log.warning("%s: the database does not answer (%s)", self.application_name, type(error).__name__)
            self._disconnect()
        return self._held

    def give_up(self) -> None:
        """Let go of the lock, with its connection: the next who asks for it has it."""
        if self._held and self._connection is not None:
            # the server notices a closed connection a moment later, and holds its lock until then
            with suppress(SQLAlchemyError):
                query = sa.text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")
                self._connection.execute(query, {"name": self.name})
        self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection, self._held = self._connection, None, False
        if connection is not None:
            connection.invalidate()
            connection.close()


def application_name(name: str, pid: int) -> str:
    """How a leader's, or a waiting one's, connection is called in ``pg_stat_activity`` (63 bytes at most)."""
    return f"{name} {socket.gethostname()[:30]}:{pid}"


def processes(name: str) -> list[dict[str, Any]]:
    """Those that lead or wait to lead: ``name`` (host:process) and ``leads``, the leader first."""
    query = sa.text(
        "SELECT substr(application_name, length(:name) + 2) AS name, bool_or(locktype IS NOT NULL) AS leads"
        " FROM pg_stat_activity LEFT JOIN pg_locks"
        " ON pg_locks.pid = pg_stat_activity.pid AND locktype = 'advisory' AND granted"
        " WHERE starts_with(application_name, :name || ' ') GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    with engine().connect() as connection:
        return [dict(row) for row in connection.execute(query, {"name": name}).mappings()]
