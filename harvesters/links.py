"""Files and services that stay where they are: which of a record's links an entry may point to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from ckanext.openhuizhou.domain.cell_types import to_datetime
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.text_rules import cleaned, has_forbidden, shown
from ckanext.openhuizhou.harvesters.records import Link

_LONGEST_URL: Final = 2000
#: Longer texts are cut: they describe and decide nothing.
_LONGEST: Final = {"name": 200, "format": 100, "description": 2000, "mimetype": 200}
_LARGEST: Final = 2**63 - 1


def checked_links(links: Sequence[Link], most: int) -> tuple[tuple[Link, ...], list[Finding]]:
    """The links as an entry holds them, each address once, and what was found.

    An address that a visitor must not be sent to (no http, a password in it) is left out with a warning; more than
    ``most`` is an error, and then no link is returned.
    """
    by_url: dict[str, Link] = {}
    refused: list[str] = []
    for link in links:
        url = str(link.url).strip()
        if not _may_be_shown(url):
            refused.append(url)
        elif url in by_url:
            by_url[url] = _merged(by_url[url], link)
        else:
            by_url[url] = replace(link, url=url)
    if len(by_url) > most:
        return (), [Finding("links-too-many", params={"count": len(by_url), "most": most})]
    findings = []
    if refused:
        first = shown(_without_user(refused[0]))
        findings.append(Finding("links-refused", value=first, params={"count": len(refused)}))
    return tuple(map(_plain, by_url.values())), findings


def _may_be_shown(url: str) -> bool:
    if len(url) > _LONGEST_URL or has_forbidden(url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def _without_user(url: str) -> str:
    """An address as a finding may show it; a password before the host stays out."""
    scheme, mark, rest = url.partition("//")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def _merged(first: Link, second: Link) -> Link:
    """The first link, with what only the second says."""
    missing = {name: getattr(second, name) for name in Link.__dataclass_fields__ if getattr(first, name) in ("", None)}
    return replace(first, **missing)


def _plain(link: Link) -> Link:
    texts = {name: cleaned(str(getattr(link, name) or ""), longest) for name, longest in _LONGEST.items()}
    size = link.size if isinstance(link.size, int) and 0 <= link.size <= _LARGEST else None
    moment = utc_moment(link.modified)
    return Link(link.url, **texts, size=size, modified=None if moment is None else moment.isoformat())


def utc_moment(text: str | None) -> datetime | None:
    """A moment as a source writes it, in UTC without zone; None when it is not given or cannot be read.

    Without a zone it is Asia/Shanghai, the only civil time of the city's systems.
    """
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(to_datetime(text) or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=None, microsecond=0)
