"""The mapping of a source: from a department's words to a catalogue entry. Pure; grammar in docs/harvest-mapping.md.

A mapping is loaded and checked once; applying it to a record never fails, it finds (``MappedRecord.findings``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ckanext.openhuizhou.domain.findings import N_, Finding
from ckanext.openhuizhou.domain.items import COLUMN_ID, DATA_TYPES, Item
from ckanext.openhuizhou.domain.text_rules import shown
from ckanext.openhuizhou.errors import ValueRefused
from ckanext.openhuizhou.harvesters.compare import digest
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rules import Place, Rule, lookup
from ckanext.openhuizhou.schemas.fields import field_labels

#: What the platform assigns; no source may say it.
_PLATFORM_FIELDS: Final = frozenset(
    {"name", "catalogue_code", "entry_state", "issued", "withdrawn_on", "withdraw_reason", "row_count", "items"}
)
_ITEM_FIELDS: Final = tuple(Item.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class MappedItem:
    """An item and the key of the row that holds its value."""

    item: Item
    cell: str


@dataclass(frozen=True, slots=True)
class MappedRecord:
    """What a mapping makes of a record. ``provider`` is text that still has to be found in the directory;
    ``provider_asked`` tells whether the mapping wants it from the record at all. ``listed``: the mapping lists the
    columns of this record one by one. ``source_columns``: name → type of the columns that the source tells of."""

    entry: dict[str, Any]
    items: tuple[MappedItem, ...] = ()
    provider: str | None = None
    provider_asked: bool = False
    listed: bool = False
    findings: tuple[Finding, ...] = ()
    source_columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _ItemsRule:
    path: str
    rules: Mapping[str, Rule]
    cell: Rule
    exclude: frozenset[str] = frozenset()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class _Override:
    fields: Mapping[str, Rule] = field(default_factory=dict)
    items: tuple[MappedItem, ...] | None = None
    skip: bool = False
    items_digest: str = ""


@dataclass(frozen=True, slots=True)
class RecordMapping:
    """A checked mapping. ``digest`` changes with every change of its meaning; ``reads_modified``: whether a value can
    depend on the record's time of change."""

    fields: Mapping[str, Rule]
    items: _ItemsRule | None
    datasets: Mapping[str, _Override]
    digest: str
    reads_modified: bool = False

    def columns_digest(self, key: str) -> str:
        """Changes when somebody edits what the mapping says of this record's columns."""
        override = self.datasets.get(key)
        if override is not None and override.items is not None:
            return override.items_digest
        return self.items.digest if self.items is not None else ""

    def skips(self, key: str) -> bool:
        """Whether the record is left out."""
        override = self.datasets.get(key)
        return override is not None and override.skip

    def apply(self, record: SourceRecord) -> MappedRecord:
        """Make an entry of ``record``; everything that does not fit is a finding."""
        override = self.datasets.get(record.key, _Override())
        payload = {**record.payload, "$key": record.key, "$modified": record.modified}
        findings: list[Finding] = []
        entry: dict[str, Any] = {}
        for name, rule in {**self.fields, **override.fields}.items():
            try:
                entry[name] = rule.value(payload, name)
            except ValueRefused as refused:
                findings += refused.findings
        owner = entry.pop("owner_org", None)
        if isinstance(entry.get("tag_string"), list):
            entry["tag_string"] = ",".join(dict.fromkeys(str(tag) for tag in entry["tag_string"]))
        columns = _source_columns(payload)
        if override.items is not None:
            items = override.items
            findings += _missing_columns(items, columns)
        else:
            items, found = self._general_items(payload)
            findings += found
        entry["items"] = [item_dict(mapped.item) for mapped in items]
        return MappedRecord(
            entry=entry,
            items=tuple(items),
            provider=None if owner is None else str(owner),
            provider_asked="owner_org" in self.fields or "owner_org" in override.fields,
            listed=override.items is not None,
            findings=tuple(findings),
            source_columns=columns,
        )

    def _general_items(self, payload: Mapping[str, Any]) -> tuple[list[MappedItem], list[Finding]]:
        if self.items is None:
            return [], []
        members = lookup(payload, self.items.path)
        items: list[MappedItem] = []
        findings: list[Finding] = []
        for member in members if isinstance(members, list) else []:
            if not isinstance(member, Mapping):
                continue
            try:
                mapped = self._general_item(self.items, member)
            except ValueRefused as refused:
                findings += refused.findings
                continue
            if mapped is not None:
                items.append(mapped)
        return items, findings

    @staticmethod
    def _general_item(rules: _ItemsRule, member: Mapping[str, Any]) -> MappedItem | None:
        cell = rules.cell.value(member, "cell")
        if cell is None or str(cell) in rules.exclude:
            return None
        values = {name: rule.value(member, f"items.{name}") for name, rule in rules.rules.items()}
        values["name"] = values.get("name") or str(cell)
        values["column"] = str(values.get("column") or cell).lower()
        if not COLUMN_ID.fullmatch(values["column"]):
            raise ValueRefused([Finding("column-invalid", column=str(values["name"]), value=shown(values["column"]))])
        if values.get("data_type", "string") not in DATA_TYPES:
            raise ValueRefused([Finding("code-unknown", field="items.data_type", value=shown(values["data_type"]))])
        return MappedItem(_item(values), str(cell))


def item_dict(item: Item) -> dict[str, Any]:
    """The item as the entry stores it: without what is not given."""
    values = {name: getattr(item, name) for name in _ITEM_FIELDS}
    return {name: value for name, value in values.items() if value not in (None, "", False)}


def load_mapping(document: Any, place: Place) -> RecordMapping:
    """Read and check the ``mapping`` part of a source.

    Raises:
        ConfigurationError: naming file and place; none when ``place`` collects errors and the document is a mapping.
    """
    values = place.mapping(document)
    place.known_keys(values, ("fields", "items", "datasets"))
    fields: Mapping[str, Rule] = {}
    items: _ItemsRule | None = None
    datasets: dict[str, _Override] = {}
    with place.going_on():
        fields = _fields(values.get("fields") or {}, place / "fields")
    with place.going_on():
        items = _items_rule(values["items"], place / "items") if values.get("items") else None
    with place.going_on():
        for key, value in (place / "datasets").mapping(values.get("datasets") or {}).items():
            with place.going_on():
                datasets[str(key)] = _override(value, place / "datasets" / key)
    rules = [*fields.values(), *(rule for override in datasets.values() for rule in override.fields.values())]
    reads_modified = any(rule.reads("$modified") for rule in rules)
    return RecordMapping(fields, items, datasets, digest(values), reads_modified)


def _fields(document: Any, place: Place) -> dict[str, Rule]:
    values = place.mapping(document)
    known = entry_fields()
    place.known_keys(values, known)
    rules: dict[str, Rule] = {}
    for name in known & values.keys():
        with place.going_on():
            rules[name] = Rule.load(values[name], place / name)
            if rules[name].provider and name != "owner_org":
                raise (place / name).error(N_("provider belongs to owner_org only"))
    return {name: rules[name] for name in values if name in rules}


def _items_rule(document: Any, place: Place) -> _ItemsRule:
    values = dict(place.mapping(document))
    place.known_keys(values, {"from", "cell", "exclude", *_ITEM_FIELDS})
    path = values.get("from")
    if not isinstance(path, str):
        with place.going_on():
            raise place.error(N_("from is needed: the path of the list of columns"))
    excluded = values.get("exclude") or ()
    if not isinstance(excluded, (list, tuple)):
        with place.going_on():
            raise (place / "exclude").error(N_("a list of names belongs here"))
        excluded = ()
    rules: dict[str, Rule] = {}
    for name, default in (("cell", {"from": "name"}), *((field_name, None) for field_name in _ITEM_FIELDS)):
        if name in values or default:
            with place.going_on():
                rules[name] = Rule.load(values.get(name, default), place / name)
    cell = rules.pop("cell", Rule())
    return _ItemsRule(str(path), rules, cell, frozenset(str(name) for name in excluded), digest(values))


def _override(document: Any, place: Place) -> _Override:
    values = place.mapping(document or {})
    place.known_keys(values, ("fields", "items", "skip"))
    fields: dict[str, Rule] = {}
    items: tuple[MappedItem, ...] | None = None
    with place.going_on():
        fields = _fields(values.get("fields") or {}, place / "fields")
    with place.going_on():
        items = _listed_items(values.get("items"), place / "items")
    return _Override(fields, items, bool(values.get("skip", False)), digest(values.get("items")))


def _listed_items(document: Any, place: Place) -> tuple[MappedItem, ...] | None:
    if document is None:
        return None
    if not isinstance(document, list) or not document:
        raise place.error(N_("a list of items belongs here"))
    items: list[MappedItem] = []
    columns: set[str] = set()
    for index, member in enumerate(document):
        with place.going_on():
            mapped = _listed_item(member, place / index)
            if mapped.item.column in columns:
                raise (place / index).error(N_("column {column} stands twice"), column=mapped.item.column)
            columns.add(mapped.item.column)
            items.append(mapped)
    return tuple(items)


def _listed_item(document: Any, place: Place) -> MappedItem:
    values = dict(place.mapping(document))
    place.known_keys(values, {"from", *_ITEM_FIELDS})
    for name in ("name", "column"):
        if not values.get(name):
            raise place.error(N_("{name} is needed"), name=name)
    if not COLUMN_ID.fullmatch(str(values["column"])):
        raise (place / "column").error(N_("{value} is not a column id (a-z, 0-9, _)"), value=values["column"])
    if values.get("data_type", "string") not in DATA_TYPES:
        known = ", ".join(DATA_TYPES)
        raise (place / "data_type").error(N_("{value} is none of {known}"), value=values["data_type"], known=known)
    cell = str(values.pop("from", values["column"]))
    try:
        return MappedItem(_item(values), cell)
    except ValueRefused as refused:
        raise place.error(N_("length and scale are whole numbers")) from refused


def _item(values: Mapping[str, Any]) -> Item:
    try:
        return Item.from_dict(values)
    except (TypeError, ValueError) as error:
        name = str(values.get("name"))
        raise ValueRefused(
            [Finding("value-form", field="items.length", value=name, params={"form": "integer"})]
        ) from error


def _source_columns(payload: Mapping[str, Any]) -> dict[str, str]:
    columns = payload.get("columns")
    if not isinstance(columns, list):
        return {}
    there = [column for column in columns if isinstance(column, Mapping) and column.get("name") is not None]
    return {str(column["name"]): str(column.get("type") or "") for column in there}


def _missing_columns(items: Iterable[MappedItem], columns: Mapping[str, str]) -> list[Finding]:
    """Listed columns that the source does not have. A source without a list of columns is asked when rows are read."""
    if not columns:
        return []
    return [
        Finding("column-missing", column=mapped.item.name, value=mapped.cell)
        for mapped in items
        if mapped.cell not in columns
    ]


def entry_fields() -> frozenset[str]:
    """Fields of an entry that a source may fill in, from the dataset's schema."""
    return frozenset(name for name in field_labels("dataset") if "." not in name) - _PLATFORM_FIELDS
