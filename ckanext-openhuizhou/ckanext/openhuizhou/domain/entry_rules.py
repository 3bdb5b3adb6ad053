"""The rules of a catalogue entry, each in one function that yields findings.

The form, the API and the harvest engine call ``check_entry``, so that an entry is right or wrong in the same way
whichever way it came. A draft checks only what is filled in, and has a title: without one nobody would find it
again, and it would take a code for ever. Publication also asks for what is missing.
Rules on the items (columns) are in ``item_rules``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ckanext.openhuizhou.schemas.code_lists import code_list

from .catalogue_code import CatalogueCode
from .findings import Finding
from .item_rules import check_items
from .reference import Reference
from .text_rules import check_text, is_empty, is_true, shown
from .title import names_a_system, title_key

Purpose = Literal["draft", "publish"]

#: Fields whose value is a key of a code list.
CODED = {
    "open_type": "open_types",
    "share_type": "share_types",
    "share_way": "share_ways",
    "format_class": "format_classes",
    "update_cycle": "update_cycles",
    "data_level": "data_levels",
    "industry": "industries",
}
#: What publication asks for; ``schemas/dataset.yaml`` marks the same fields with ``required``.
REQUIRED = (
    "title",
    "owner_org",
    "category",
    "theme",
    "notes",
    "open_type",
    "share_type",
    "share_way",
    "format_class",
    "update_cycle",
    "items",
)
#: Longest text in characters. Solr keeps a whole text of at most 32,766 bytes, and a letter takes up to 4.
LONGEST = {"title": 200, "notes": 8000, "version": 100, "tag_string": 20_200}
LONGEST_OTHER = 2000


@dataclass(frozen=True, slots=True)
class Lookups:
    """What only the platform knows. A lookup that is ``None`` is not asked: that rule is then left to whoever can.

    ``existing_codes``: of these codes, those that belong to an entry.
    ``title_taken``: whether the provider has another entry with this title (``domain.title.title_key``).
    """

    reference: Reference | None = None
    existing_codes: Callable[[Collection[str]], Collection[str]] | None = None
    title_taken: Callable[[str, str], bool] | None = None


Rule = Callable[[Mapping[str, Any], Lookups], Iterator[Finding]]


def check_entry(entry: Mapping[str, Any], purpose: Purpose, lookups: Lookups | None = None) -> Iterator[Finding]:
    """Yield what is wrong with an entry as ``package_show`` gives it; ``purpose`` decides about empty fields.

    A finding about an item has ``field`` “items”, ``row`` its position from 1, ``column`` its column id or name,
    and ``params["subfield"]``.
    """
    lookups = lookups or Lookups()
    if purpose == "publish":
        yield from _required(entry)
    elif is_empty(entry.get("title")):
        yield Finding("required-missing", field="title")
    for rule in RULES:
        yield from rule(entry, lookups)
    items = entry.get("items")
    if not is_empty(items):
        yield from check_items(items, entry, purpose)


def _required(entry: Mapping[str, Any]) -> Iterator[Finding]:
    for name in REQUIRED:
        if is_empty(entry.get(name)):
            yield Finding("required-missing", field=name)
    for field in ("open", "share"):
        kind = {"conditional": "condition-missing", "none": "ground-missing"}.get(str(entry.get(f"{field}_type")))
        if kind and is_empty(entry.get(f"{field}_condition")):
            yield Finding(kind, field=f"{field}_condition")


def _texts(entry: Mapping[str, Any], _lookups: Lookups) -> Iterator[Finding]:
    for name, value in entry.items():
        if isinstance(value, str):
            yield from check_text(name, value, LONGEST.get(name, LONGEST_OTHER))


def _codes(entry: Mapping[str, Any], _lookups: Lookups) -> Iterator[Finding]:
    for name, list_name in CODED.items():
        value = entry.get(name)
        if not is_empty(value) and str(value) not in code_list(list_name):
            yield Finding("code-unknown", field=name, value=shown(value), params={"list": list_name})


def _city_codes(entry: Mapping[str, Any], lookups: Lookups) -> Iterator[Finding]:
    reference = lookups.reference
    if reference is None:
        return
    for name, known in (("theme", reference.themes), ("region", reference.directory.regions)):
        value = entry.get(name)
        if not is_empty(value) and not (isinstance(value, str) and value in known):
            yield Finding("code-unknown", field=name, value=shown(value), params={"list": name})
    category = entry.get("category")
    if not is_empty(category) and not reference.classification.assignable(str(category)):
        yield Finding("category-unknown", field="category", value=shown(category))


def _title(entry: Mapping[str, Any], lookups: Lookups) -> Iterator[Finding]:
    title = entry.get("title")
    if not isinstance(title, str) or is_empty(title):
        return
    key = title_key(title)
    if not key:
        yield Finding("title-no-letters", field="title", value=shown(title))
    if names_a_system(title):
        yield Finding("title-system-name", field="title", value=shown(title))
    provider = entry.get("owner_org")
    if key and provider and lookups.title_taken and lookups.title_taken(str(provider), key):
        yield Finding("title-duplicate", field="title", value=shown(title))


def _format_and_sharing(entry: Mapping[str, Any], _lookups: Lookups) -> Iterator[Finding]:
    format_class, way = entry.get("format_class"), entry.get("share_way")
    classes = code_list("format_classes")
    if format_class not in classes or way not in code_list("share_ways"):
        return
    if way not in classes[str(format_class)].extra["share_ways"]:
        yield Finding(
            "format-share-mismatch", field="share_way", value=str(way), params={"format_class": str(format_class)}
        )


def _levels(entry: Mapping[str, Any], _lookups: Lookups) -> Iterator[Finding]:
    levels, level = code_list("data_levels"), str(entry.get("data_level", ""))
    if level in levels and levels[level].extra.get("refused"):
        yield Finding("data-level-refused", field="data_level", value=level)
    if is_true(entry.get("secret")):
        yield Finding("secret-refused", field="secret")


def _related(entry: Mapping[str, Any], lookups: Lookups) -> Iterator[Finding]:
    codes = entry.get("related_codes")
    if is_empty(codes):
        return
    if not isinstance(codes, list | tuple):
        codes = [codes]
    formed: list[str] = []
    for code in codes:
        try:
            formed.append(str(CatalogueCode.parse(str(code))))
        except ValueError:
            yield Finding("related-code-unknown", field="related_codes", value=shown(code))
    if formed and lookups.existing_codes:
        existing = set(lookups.existing_codes(formed))
        for code in formed:
            if code not in existing:
                yield Finding("related-code-unknown", field="related_codes", value=code)


RULES: tuple[Rule, ...] = (_texts, _codes, _city_codes, _title, _format_and_sharing, _levels, _related)
