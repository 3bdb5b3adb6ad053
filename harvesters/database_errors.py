"""What a database's error means for the source. Texts of drivers can hold passwords and rows, so they stay out."""

from __future__ import annotations

import re
from typing import Any, Final

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from ckanext.openhuizhou.errors import SourceDenied, SourceError, SourceMalformed, SourceUnreachable

_DENIED, _MISSING, _LATE, _GONE = "denied", "missing", "late", "gone"
#: Codes of PostgreSQL (SQLSTATE), MariaDB and MySQL, Oracle, SQL Server and 达梦. They do not overlap.
_MEANINGS: Final[dict[str, str]] = {
    **dict.fromkeys(("28000", "28P01", "42501", "1044", "1045", "1142", "1143", "1227", "1698"), _DENIED),
    **dict.fromkeys(("ORA-01017", "ORA-01031", "ORA-28000", "18456", "229", "230", "-2501", "-5504"), _DENIED),
    **dict.fromkeys(("3D000", "3F000", "42P01", "1049", "1051", "1146"), _MISSING),
    **dict.fromkeys(("ORA-00942", "ORA-12505", "ORA-12514", "208", "4060", "-2106", "-2103"), _MISSING),
    **dict.fromkeys(("57014", "1969", "3024", "ORA-01013", "DPY-4024", "20003"), _LATE),
    **dict.fromkeys(("57P01", "57P02", "57P03", "1040", "1053", "2002", "2003", "2006", "2013"), _GONE),
    **dict.fromkeys(
        ("08000", "08003", "08006", "ORA-12541", "DPY-4011", "DPY-6005", "20002", "20009", "-70028"), _GONE
    ),
}
_CODE_IN_TEXT: Final = re.compile(r"\b(ORA-\d{5}|DPY-\d{4})\b|\[CODE:(-?\d+)\]")
#: What PostgreSQL refuses while a connection is set up has no code, only a text.
_TEXTS: Final = (
    (re.compile(r'password authentication failed|permission denied|role ".*" does not exist', re.I), _DENIED),
    (re.compile(r'database ".*" does not exist', re.I), _MISSING),
)


def explained(error: SQLAlchemyError) -> SourceError:
    """The error of the source that stands for an error of SQLAlchemy."""
    code = code_of(error)
    meaning = _MEANINGS.get(code) or _by_text(error)
    if meaning == _DENIED:
        return SourceDenied("The database refuses access ({code})", code=code or "login")
    if meaning == _MISSING:
        return SourceMalformed("The database, or a table of it, is not there ({code})", code=code or "3D000")
    if meaning == _LATE:
        return SourceUnreachable("The database did not answer a question in time")
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return SourceUnreachable("The database closed the connection")
    if meaning == _GONE or (isinstance(error, OperationalError) and not code):
        return SourceUnreachable("The database does not answer")
    return SourceMalformed("The database cannot be read ({code})", code=code or type(error).__name__)


def code_of(error: SQLAlchemyError) -> str:
    """The database's own code of an error; empty when there is none."""
    original: Any = getattr(error, "orig", None)
    if state := getattr(original, "pgcode", None):
        return str(state)
    first = next(iter(getattr(original, "args", ())), None)
    if isinstance(first, tuple) and first:  # pymssql, while a connection is set up
        first = first[0]
    if isinstance(first, int) and not isinstance(first, bool):
        return str(first)
    if code := getattr(first, "full_code", None):
        return str(code)
    found = _CODE_IN_TEXT.search(str(first or ""))
    return (found[1] or found[2]) if found else ""


def _by_text(error: SQLAlchemyError) -> str | None:
    if not isinstance(error, OperationalError):
        return None
    text = str(error.orig)
    return next((meaning for pattern, meaning in _TEXTS if pattern.search(text)), None)
