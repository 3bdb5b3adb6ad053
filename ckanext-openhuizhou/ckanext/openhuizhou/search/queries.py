"""What a search means: weights, the visitor's words, the default filters.

Two kinds of callers. A *page* passes on what a person typed into its box and address: any string is a search there,
so every sign with a meaning for Solr is escaped. A *program* (the API, our own code) may use Solr's syntax, and
malformed syntax stays CKAN's error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

#: Where a search looks, and how much a hit there counts. Each field must hold all the words (``mm``) by itself;
#: ``text`` and ``text_words`` hold everything. How fields are analysed: config/solr/openhuizhou/conf/schema.xml.
QUERY_FIELDS = (
    "catalogue_code^20 name^10 title_exact^20 title^8 title_words^6 tags_text^4 item_names^3 organization_title^3 "
    "labels^2 notes text^0.5 text_words^0.5"
)

#: CKAN always sends q.op=AND, with which edismax wants every pair of characters whatever ``mm`` says. This prefix,
#: which plugin.py allows through ``ckan.search.solr_allowed_query_parsers``, gives the say back to ``mm``.
PARSER = "{!edismax q.op=OR}"

#: A program's query with operators says itself what must match: ``空气 OR 公交``. Within one word all pairs must.
PARSER_OF_OPERATORS = "{!edismax q.op=AND}"

#: Up to four words: all of them; of more, three in four. A Chinese word of n characters is n - 1 pairs.
MINIMUM_MATCH = "4<75%"

#: How much the other fields count beside the best one; CKAN's value.
TIE = "0.1"

#: Nobody types more into a box; Solr refuses a query of more than 1,024 clauses.
MAX_TEXT = 60

#: The last entry that a page asks for; what is past Solr's 32 bits would be an error.
MAX_START = 10**9

#: Fields by which the address of a page may filter. Others are not filters (``utm_source``, made-up names).
FILTERS = frozenset(
    {
        "capacity",
        "catalogue_code",
        "category",
        "dataset_type",
        "entry_state",
        "format_class",
        "freshness",
        "groups",
        "license_id",
        "name",
        "open_type",
        "openhuizhou_data_ok",
        "organization",
        "owner_org",
        "quality_band",
        "region",
        "res_format",
        "share_type",
        "share_way",
        "state",
        "tags",
        "theme",
        "update_cycle",
    }
)

#: Fields by which a page may sort, and the field of the index that does it: titles go by pinyin.
SORTS = {
    "data_modified": "data_modified",
    "issued": "issued",
    "metadata_created": "metadata_created",
    "metadata_modified": "metadata_modified",
    "name": "name",
    "quality": "quality",
    "row_count": "row_count",
    "score": "score",
    "title": "title_sort",
    "title_sort": "title_sort",
    "title_string": "title_sort",
}

_SYNTAX = re.compile(r'[+\-&|!(){}\[\]^"~*?:\\/]')
_OPERATORS = re.compile(r"\b(?:AND|OR|NOT)\b|(?:^|[\s(])[+\-!](?=\S)|&&|\|\|")
_OPERATOR = re.compile(r"\b(?:AND|OR|NOT)\b")
_SORT = re.compile(r"\s*(\w+)\s+(asc|desc)\s*", re.IGNORECASE)
_TITLE_SORT = re.compile(r"\btitle_string\b")


def as_text(typed: str) -> str:
    """Turn what a person typed into a query in which nothing is an operator; at most ``MAX_TEXT`` characters of it."""
    words = _OPERATOR.sub(lambda match: match[0].lower(), " ".join(typed.split())[:MAX_TEXT].strip())
    return _SYNTAX.sub(r"\\\g<0>", words)


def search_parameters(params: dict[str, Any], typed: Mapping[str, Iterable[str]] | None = None) -> dict[str, Any]:
    """Complete the parameters of one ``package_search``; returns ``params``, changed in place.

    ``typed`` holds the address parameters of a page (name → values) and is None for a program.
    """
    was_typed = typed is not None and _disarm(params, typed)
    query = (params.get("q") or "").strip()
    if query and (was_typed or _is_free_text(query, params)):
        operators = not was_typed and _OPERATORS.search(query)
        params["q"] = (PARSER_OF_OPERATORS if operators else PARSER) + query
        # Solr reads the prefix only where the query is its own language
        params["defType"] = "lucene"
        for name, value in (("qf", QUERY_FIELDS), ("mm", "0%" if operators else MINIMUM_MATCH), ("tie", TIE)):
            params.setdefault(name, value)
    if isinstance(params.get("sort"), str):
        params["sort"] = _TITLE_SORT.sub("title_sort", params["sort"])
    if not _mentions_type(params):
        params["fq"] = f"{params.get('fq') or ''} +dataset_type:dataset".strip()
    return params


def _is_free_text(query: str, params: Mapping[str, Any]) -> bool:
    """Whether a program's query is plain words, for CKAN's own rule a query without a colon."""
    return "defType" not in params and ":" not in query and not query.startswith("{!")


def _disarm(params: dict[str, Any], typed: Mapping[str, Iterable[str]]) -> bool:
    """Escape the parts of a page's search that came from its address; parts that the page's own code wrote stay.

    Returns whether the query itself was typed.
    """
    params["start"] = min(int(params.get("start") or 0), MAX_START)
    query = params.get("q") or ""
    was_typed = query in set(typed.get("q", ()))
    if was_typed:
        params["q"] = as_text(query)
    sort = params.get("sort")
    if sort and sort in set(typed.get("sort", ())):
        params["sort"] = _safe_sort(sort)
    filters = params.get("fq") or ""
    for name, values in typed.items():
        for value in values:
            # as ckan.views.dataset and ckan.views.group write it
            filters = filters.replace(f'{name}:"{value}"', _safe_filter(name, value))
    if params.get("fq"):
        params["fq"] = " ".join(filters.split())
    return was_typed


def _safe_filter(name: str, value: str) -> str:
    if name not in FILTERS and not name.startswith("vocab_"):
        return ""
    phrase = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}:"{phrase}"'


def _safe_sort(sort: str) -> str | None:
    """None, and so the site's default order, for what is not a list of known fields."""
    parts = []
    for part in sort.split(","):
        match = _SORT.fullmatch(part)
        if not match or match[1] not in SORTS:
            return None
        parts.append(f"{SORTS[match[1]]} {match[2].lower()}")
    return ", ".join(parts)


def _mentions_type(params: Mapping[str, Any]) -> bool:
    return any("dataset_type:" in str(params.get(key) or "") for key in ("q", "fq", "fq_list"))
