"""Another CKAN portal, asked through ckanapi; every request goes through the guarded client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ckanapi import RemoteCKAN, errors

from ckanext.openhuizhou.errors import DecodingError, SourceMalformed
from ckanext.openhuizhou.transport import decoding
from ckanext.openhuizhou.transport.http import HttpClient, shown

_ROWS_AT_ONCE: Final = 5000
#: ckanapi gives back CKAN's own errors, which have no common ancestor; with its texts nothing is to be done.
#: RecursionError: JSON that is nested without end.
_NOT_CKANS: Final = (
    errors.CKANAPIError,
    errors.NotAuthorized,
    errors.NotFound,
    errors.SearchError,
    errors.SearchIndexError,
    errors.SearchQueryError,
    errors.ServerIncompatibleError,
    errors.ValidationError,
    AttributeError,
    KeyError,
    RecursionError,
    ValueError,
)
#: Columns of the DataStore's own.
_OWN_COLUMNS: Final = frozenset({"_id", "_full_text"})


@dataclass(frozen=True, slots=True)
class _Response:
    status_code: int
    text: str


class _Session:
    """What ckanapi takes for a session of requests. Statuses other than success are errors of the client already."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    def get(self, url: str, params: Mapping[str, Any] | None = None, **_ckanapis_own: Any) -> _Response:
        answer = self._client.get(url, params=params)
        try:
            return _Response(answer.status, decoding.decode(answer.content))
        except DecodingError as error:
            raise SourceMalformed("{url} sends no text", url=shown(answer.url)) from error

    def close(self) -> None:
        self._client.close()


class Portal:
    """The actions of a portal that only read. Errors are the client's (``transport.http``), and ``SourceMalformed``
    for an answer that is not what CKAN 2.8 to 2.12 sends."""

    def __init__(self, client: HttpClient, url: str) -> None:
        self.url = url
        self._remote = RemoteCKAN(url, get_only=True, session=_Session(client))

    def close(self) -> None:
        self._remote.close()

    def call(self, action: str, **parameters: Any) -> dict[str, Any]:
        """The result of an action that answers with an object."""
        try:
            result = self._remote.call_action(action, parameters)
        except _NOT_CKANS as error:
            raise self._malformed(action) from error
        if not isinstance(result, dict):
            raise self._malformed(action)
        return result

    def _malformed(self, action: str) -> SourceMalformed:
        return SourceMalformed("{url} does not answer {action} as CKAN does", url=shown(self.url), action=action)

    # the catalogue

    def packages_after(self, last: str | None, search: Mapping[str, Any], rows: int) -> tuple[list[Any], int]:
        """The next packages in the order of their ids, and how many are left, these included.

        Asking for what comes after an id, not for a page's number, misses nothing when the portal changes meanwhile.
        """
        filters = list(search["filters"])
        if last is not None:
            filters.append(f"id:{{{quoted(last)} TO *]")
        query = {"q": search["query"] or "*:*", "fq": " ".join(f"+{one}" for one in filters)}
        result = self.call("package_search", **query, sort="id asc", rows=rows)
        found, count = result.get("results"), result.get("count")
        if not isinstance(found, list) or not isinstance(count, int) or not all(isinstance(one, dict) for one in found):
            raise self._malformed("package_search")
        return found, count

    # tables

    def table(self, resource_id: str) -> tuple[list[dict[str, Any]], int]:
        """The columns of a table of the DataStore (``name``, ``label``, ``type``, ``description``), and its rows."""
        result = self.call("datastore_search", resource_id=resource_id, limit=0)
        fields, total = result.get("fields"), result.get("total")
        if not isinstance(fields, list) or not isinstance(total, int):
            raise self._malformed("datastore_search")
        return [_column(one) for one in fields if isinstance(one, dict) and one.get("id") not in _OWN_COLUMNS], total

    def rows(self, resource_id: str) -> Iterator[dict[str, Any]]:
        """The rows of a table in the order in which they were written.

        Raises:
            SourceMalformed: also when rows came or went while they were read; pages would repeat or miss some.
        """
        count, total = 0, None
        while total is None or count < total:
            page = self.call("datastore_search", resource_id=resource_id, sort="_id", limit=_ROWS_AT_ONCE, offset=count)
            records, now = page.get("records"), page.get("total")
            if not isinstance(records, list) or not isinstance(now, int):
                raise self._malformed("datastore_search")
            if (total is not None and now != total) or (not records and count < now):
                raise SourceMalformed("The table {id} changed while it was read", id=resource_id)
            total, count = now, count + len(records)
            for row in records:
                yield {name: value for name, value in row.items() if name not in _OWN_COLUMNS}


def _column(field: Mapping[str, Any]) -> dict[str, Any]:
    info = field.get("info")
    info = info if isinstance(info, dict) else {}
    name = str(field.get("id") or "")
    return {
        "name": name,
        "label": info.get("label") or name,
        "type": str(info.get("type_override") or field.get("type") or ""),
        "description": info.get("notes") or "",
    }


def quoted(value: str) -> str:
    """A text as a phrase of a Solr query."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
