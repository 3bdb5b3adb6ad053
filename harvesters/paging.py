"""Paged answers of web services: which address is asked next, and when a listing is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import quote, urljoin, urlsplit

from ckanext.openhuizhou.domain.findings import N_
from ckanext.openhuizhou.errors import SourceMalformed
from ckanext.openhuizhou.harvesters.compare import digest
from ckanext.openhuizhou.harvesters.kinds import Option
from ckanext.openhuizhou.transport.http import Answer, HttpClient, shown

PAGING_OPTIONS: Final = (
    Option(
        "page", label=N_("Parameter with the page’s number"), help=N_("As in page; empty when pages are not counted")
    ),
    Option("size", label=N_("Parameter with the page’s size"), help=N_("As in page_size")),
    Option("per_page", (int,), default=100, label=N_("Records per page"), help=N_("A shorter page is the last")),
    Option("first", (int,), default=1, label=N_("Number of the first page"), help=N_("0 or 1")),
    Option("total", label=N_("Path of the total"), help=N_("Where an answer says how many records there are in all")),
    Option("next", label=N_("Path of the next page’s address"), help=N_("In place of page numbers")),
)
DIGEST_OPTION: Final = Option(
    "digest",
    (str, list),
    label=N_("Path of the data’s version"),
    help=N_(
        "A value of the record, or several, that changes whenever its rows do; otherwise the rows are read each time"
    ),
)
MODIFIED_OPTION: Final = Option("modified", label=N_("Path of the time of change"), help=N_("In a record"))
KEY_OPTION: Final = Option(
    "key",
    required=True,
    label=N_("Path of the key"),
    help=N_("In a record: what names it for ever, as a number or code"),
)


#: A listing of more pages goes in circles that nothing else tells.
_MOST_PAGES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its members, how many there are in all, and the address of the next; None for what is not said."""

    members: list[Any]
    total: int | None = None
    following: str | None = None


class Fetch(Protocol):
    """Asks for one page; ``params`` are the page's number and size, if the source counts pages."""

    def __call__(self, url: str, params: Mapping[str, Any], known: Mapping[str, str] | None = None) -> Answer: ...


def pages(
    url: str,
    paging: Mapping[str, Any] | None,
    fetch: Fetch,
    parse: Callable[[Answer], Page],
    first: Answer | None = None,
) -> Iterator[Page]:
    """Every page of a listing. ``first``: the answer for the first page, when it is there already.

    Raises:
        SourceMalformed: a page came twice, members are missing at the end, the pages do not end, or the next page is
            on another server.
    """
    paging = paging or {}
    number, count, total = paging.get("first", 1), 0, None
    seen: str | None = None
    asked: set[str] = set()
    address: str | None = url
    while address is not None:
        if paging.get("next") and address in asked:
            raise SourceMalformed("{url} sends the same page again", url=shown(address))
        if number - paging.get("first", 1) >= _MOST_PAGES:
            raise SourceMalformed("{url} has pages without end", url=shown(url))
        asked.add(address)
        answer = first or fetch(address, page_params(paging, number))
        first = None
        page = parse(answer)
        if page.members:
            # some services answer every number beyond the last with the last page
            mark = digest([len(page.members), page.members[0], page.members[-1]])
            if mark == seen:
                raise SourceMalformed("{url} sends the same page again", url=shown(answer.url))
            seen = mark
        count += len(page.members)
        total = page.total if page.total is not None else total
        yield page
        number += 1
        address = _next_address(url, paging, page, count, total)
    if total is not None and count < total:
        raise SourceMalformed("{url} sent {count} of {total} records", url=shown(url), count=count, total=total)


def _next_address(url: str, paging: Mapping[str, Any], page: Page, count: int, total: int | None) -> str | None:
    if paging.get("next"):
        return _on_same_server(url, page.following) if page.following else None
    if not paging.get("page") or not page.members:
        return None
    if total is not None:
        return url if count < total else None
    return url if len(page.members) >= paging["per_page"] else None


def _on_same_server(url: str, following: str) -> str:
    """The address of the next page; the source's token goes with the request, so it must not lead elsewhere."""
    address = urljoin(url, following)
    if _server(address) != _server(url):
        raise SourceMalformed("{url} names a next page on another server", url=shown(url))
    return address


def _server(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SourceMalformed("{url} is no address", url=shown(url)) from error
    return parts.scheme, parts.hostname or "", port or {"http": 80, "https": 443}.get(parts.scheme)


def page_params(paging: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The query of page ``number``; nothing when the source does not count pages."""
    if not paging.get("page"):
        return {}
    params = {paging["page"]: number}
    if paging.get("size"):
        params[paging["size"]] = paging["per_page"]
    return params


def address_of(template: str, key: str) -> str:
    """The address of one record's data; the key is percent-encoded."""
    return template.replace("{key}", quote(key, safe=""))


def get(client: HttpClient) -> Fetch:
    """Pages by GET."""

    def fetch(url: str, params: Mapping[str, Any], known: Mapping[str, str] | None = None) -> Answer:
        return client.get(url, params=params, known=known)

    return fetch
