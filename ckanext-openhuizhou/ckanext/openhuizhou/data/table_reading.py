"""Statements of readers' pages over published tables: as the DataStore's reading role, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from ckanext.datastore.backend.postgres import get_read_engine
from sqlalchemy.exc import DBAPIError

from ckanext.openhuizhou.errors import ReadTimedOut

#: A page that takes longer has lost its reader, and others wait for the processor.
TIMEOUT_MS: Final = 5000
_CANCELED = "57014"
_NO_SUCH = ("42P01", "42703")


@contextmanager
def reading(timeout_ms: int = TIMEOUT_MS) -> Iterator[sa.Connection]:
    """One transaction whose statements are ended after ``timeout_ms``.

    Raises:
        ReadTimedOut: a statement was ended.
        LookupError: the table, or a column of it, is gone.
    """
    try:
        with get_read_engine().connect() as connection, connection.begin():
            connection.exec_driver_sql(f"SET LOCAL statement_timeout TO {int(timeout_ms)}")
            yield connection
    except DBAPIError as error:
        code = getattr(error.orig, "pgcode", None)
        if code == _CANCELED:
            raise ReadTimedOut("Reading the table took too long") from error
        if code in _NO_SUCH:
            raise LookupError(code) from error
        raise
