"""From a dataset to its document in Solr: what CKAN's own lacks or cannot hold.

CKAN puts every extra into the index as one string. A table's items are a long JSON text with ``\\u`` escapes: no
Chinese name in it is found, and past 32,766 bytes Solr refuses the dataset. So items leave the document and their
names come in, next to the department's title and the Chinese names behind the codes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ckanext.openhuizhou.domain.quality import band_of

#: Fields that hold one or more keys of a code list; forms store several as a JSON list.
_LISTS = ("theme", "region", "share_way", "format_class")
_DATES = ("issued", "data_modified")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the index says about a dataset that is not in the dataset.

    ``department``: the provider's names; ``labels``: names of theme, category with its parents, and region, in
    every language; ``data_ok``: whether all its tables were read; ``rows``: their rows, None without a table;
    ``score`` and ``freshness``: as they were computed last, None before that.
    """

    department: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    data_ok: bool = False
    rows: int | None = None
    score: int | None = None
    freshness: str | None = None


def complete_document(document: dict[str, Any], around: Surroundings) -> dict[str, Any]:
    """The document as ``before_dataset_index`` gets it, made ready for our core; changed in place and returned."""
    items = _items(document.pop("items", None) or document.get("extras_items"))
    document.pop("extras_items", None)
    document["item_names"] = [text for item in items for text in _names(item)]
    document["organization_title"] = list(around.department)
    document["labels"] = list(around.labels)
    document["openhuizhou_data_ok"] = around.data_ok
    document["title_sort"] = pinyin_key(str(document.get("title") or ""))
    for name in _LISTS:
        if name in document:
            document[name] = listed(document[name])
    for name in _DATES:
        _replace(document, name, _instant(document.get(name)))
    _replace(document, "row_count", around.rows if around.rows is not None else _number(document.get("row_count")))
    _replace(document, "quality", around.score)
    _replace(document, "quality_band", band_of(around.score).key if around.score is not None else None)
    _replace(document, "freshness", around.freshness)
    return document


def pinyin_key(title: str) -> str:
    """A string that sorts as the title does by pinyin.

    GB 2312 numbers its 3,755 everyday characters by pinyin and GB 18030 keeps those numbers, so the bytes sort; a
    rarer character goes after or before them all. Hexadecimal, as bytes are no text.
    """
    return title.strip().casefold().encode("gb18030", "replace")[:120].hex()


def listed(value: Any) -> list[str]:
    """One key, a list of keys, or a JSON list of keys, as a list without empty ones."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            value = [value]
    values: Iterable[Any] = value if isinstance(value, list | tuple) else [value]
    return [str(one) for one in values if one not in (None, "")]


def _items(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return []
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _names(item: Mapping[str, Any]) -> list[str]:
    return [str(item[key]) for key in ("name", "column", "description") if item.get(key)]


def _replace(document: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        document.pop(name, None)
    else:
        document[name] = value


def _instant(value: Any) -> str | None:
    """Solr's form of a date or of a moment in UTC; None for what is neither."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
