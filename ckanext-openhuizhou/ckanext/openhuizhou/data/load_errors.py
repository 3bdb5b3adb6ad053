"""What a failure of the disk or of the database means for a table."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Sequence

import psycopg2
from sqlalchemy.exc import DBAPIError

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import StorageFull, TableRefused

log = logging.getLogger(__name__)

#: SQLSTATE classes for which the rows are to blame: data exception, limit of the program exceeded.
_ROWS_AT_FAULT = ("22", "54")
_NO_ROOM = "53100"
#: Where COPY stopped, as it says itself; its first line is the header.
_COPY_LINE = re.compile(r"COPY \S+, line (\d+)(?:, column (\w+))?")


def explain(error: BaseException, items: Sequence[Item]) -> None:
    """Raise what a failure of the disk or of the database means for the table; return when it means nothing for it."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise StorageFull("There is no room for the table") from error
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = cause.pgcode if isinstance(cause, psycopg2.Error) else None
    if code == _NO_ROOM:
        raise StorageFull("There is no room for the table") from error
    if code is None or not code.startswith(_ROWS_AT_FAULT):
        return
    log.info("The database refuses a table: %s", code)
    # the database's own sentence stays out: it can quote the cell
    params = {"code": code}
    place = _COPY_LINE.search(str(cause))
    if place is None:
        raise TableRefused([Finding("table-unfit", params=params)]) from error
    names = {item.column: item.name for item in items}
    row_unfit = Finding("row-unfit", row=int(place[1]) - 1, column=names.get(place[2] or ""), params=params)
    raise TableRefused([row_unfit]) from error
