"""Key, time and digest of a record, at the paths that a source's configuration names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ckanext.openhuizhou.harvesters.compare import digest
from ckanext.openhuizhou.harvesters.records import Link
from ckanext.openhuizhou.harvesters.rules import lookup


def key_at(payload: Mapping[str, Any], path: str | None) -> str:
    """The record's key, trimmed; empty when there is none."""
    return (text_at(payload, path) or "").strip()


def text_at(payload: Mapping[str, Any], path: str | None) -> str | None:
    """A value as text; None when no path is given or nothing is there."""
    value = lookup(payload, path) if path else None
    return None if value is None else str(value)


def digest_at(payload: Mapping[str, Any], paths: str | Sequence[str] | None) -> str | None:
    """The digest of the values at these paths; None without paths."""
    if not paths:
        return None
    return digest([lookup(payload, path) for path in ([paths] if isinstance(paths, str) else paths)])


def links_at(payload: Mapping[str, Any], links: Mapping[str, Any] | None) -> tuple[Link, ...]:
    """What a list in the record links to. ``links``: path of the ``list``, and those of ``url``, ``name``, ``format``
    and ``description`` in its members; a member that is a text is an address."""
    if not links:
        return ()
    members = lookup(payload, links["list"])
    found = []
    for member in members if isinstance(members, list) else [members]:
        values = {links["url"]: member} if isinstance(member, str) else member
        if isinstance(values, Mapping) and (url := key_at(values, links["url"])):
            name, form, text = (text_at(values, links[one]) or "" for one in ("name", "format", "description"))
            found.append(Link(url, name=name, format=form, description=text))
    return tuple(found)
