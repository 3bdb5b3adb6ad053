"""How each criterion of the quality score is judged: facts in, a share of its points and the reason why not all.

None: this entry cannot be asked that. Reasons are kinds with figures; ``REASONS`` has their sentences as msgids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from ckanext.openhuizhou.domain.finding_kind import N_, FindingKind
from ckanext.openhuizhou.domain.freshness import due, promised
from ckanext.openhuizhou.domain.items import Item

#: Characters of an abstract that says what the data is: Chinese says in 30 what takes English 80.
_ABSTRACT: Final = 30
_TAGS: Final = 2
#: An entry that promises no cycle should still change once a year, or say that it never will again.
_IRREGULAR: Final = timedelta(days=366)
_FIGURES: Final = frozenset({"integer", "number", "currency"})
#: Formats that programs read without a licence.
_OPEN_FORMATS: Final = frozenset({"CSV", "TSV", "JSON", "JSONL", "XML", "GEOJSON", "PARQUET", "XLSX", "ODS", "TXT"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an entry and its data. ``changed``, ``now``: UTC. ``loads``: verdicts of its tables' last loads.

    ``checks``: verdicts of the checks of its tables' data. ``links`` that lead elsewhere, ``broken`` of them.
    """

    notes: str = ""
    tags: int = 0
    theme: bool = False
    contact: bool = False
    region: bool = False
    time_range: bool = False
    items: Sequence[Item] = ()
    tables: int = 0
    loads: Sequence[str] = ()
    checks: Sequence[str] = ()
    update_cycle: str = ""
    changed: datetime | None = None
    now: datetime = datetime.min  # noqa: DTZ901 - naive UTC as in the database
    open_type: str = ""
    licence: bool = False
    formats: Sequence[str] = ()
    links: int = 0
    broken: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why points are missing; ``kind`` is a key of ``REASONS``."""

    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)


Answer = tuple[float, Reason | None] | None


def _abstract(facts: Facts) -> Answer:
    length = len(facts.notes.strip())
    if length >= _ABSTRACT:
        return 1, None
    return length / _ABSTRACT / 2, Reason("abstract-short", {"count": length, "expected": _ABSTRACT})


def _subjects(facts: Facts) -> Answer:
    found = min(facts.tags, _TAGS) + facts.theme
    return found / (_TAGS + 1), None if found == _TAGS + 1 else Reason("subjects-few", {"count": facts.tags})


def _contact(facts: Facts) -> Answer:
    return (1, None) if facts.contact else (0, Reason("contact-missing"))


def _coverage(facts: Facts) -> Answer:
    return (facts.region + facts.time_range) / 2, (
        None if facts.region and facts.time_range else Reason("coverage-missing")
    )


def _columns_described(facts: Facts) -> Answer:
    if not facts.items:
        return 0, Reason("items-missing")
    bare = [item.name for item in facts.items if not item.description.strip()]
    share = 1 - len(bare) / len(facts.items)
    return share, Reason("columns-bare", {"count": len(bare), "columns": _some(bare)}) if bare else None


def _units(facts: Facts) -> Answer:
    figures = [item for item in facts.items if item.data_type in _FIGURES and not item.is_key]
    if not figures:
        return None
    bare = [item.name for item in figures if not item.unit.strip()]
    return 1 - len(bare) / len(figures), (
        Reason("units-missing", {"count": len(bare), "columns": _some(bare)}) if bare else None
    )


def _key(facts: Facts) -> Answer:
    if not facts.items:
        return 0, Reason("items-missing")
    return (1, None) if any(item.is_key for item in facts.items) else (0, Reason("key-missing"))


def _table(facts: Facts) -> Answer:
    return (1, None) if facts.tables else (0, Reason("table-missing"))


def _loaded(facts: Facts) -> Answer:
    if not facts.tables and not facts.loads:
        return 0, Reason("table-missing")
    failed = sum(verdict != "ok" for verdict in facts.loads)
    return (0, Reason("load-refused", {"count": failed})) if failed else (1, None)


def _checked(facts: Facts) -> Answer:
    if not facts.tables:
        return 0, None  # said by the criterion of tables
    worst = {"refused": 0.0, "held": 0.0, "warned": 0.5, "passed": 1.0}
    share = min((worst[verdict] for verdict in facts.checks), default=1.0)
    if share == 1:
        return 1, None
    return share, Reason("checks-warned" if share else "checks-held")


def _in_time(facts: Facts) -> Answer:
    if facts.update_cycle == "discontinued":
        return None
    if facts.changed is None:
        return 0, Reason("never-updated")
    time = promised().get(facts.update_cycle)
    if time is None:
        recent = facts.now - facts.changed <= _IRREGULAR
        return (1, None) if recent else (0.3, Reason("cycle-irregular-old"))
    next_change = due(facts.update_cycle, facts.changed)
    assert next_change is not None, "the cycle promises"
    late = facts.now - next_change
    if late <= timedelta(0):
        return 1, None
    return (0.4 if late <= time else 0), Reason("late", {"days": max(1, late.days)})


def _open(facts: Facts) -> Answer:
    if facts.open_type == "unconditional":
        return 1, None
    return (0.5, Reason("open-conditional")) if facts.open_type == "conditional" else None


def _licence(facts: Facts) -> Answer:
    if facts.open_type == "none":
        return None
    return (1, None) if facts.licence else (0, Reason("licence-missing"))


def _format(facts: Facts) -> Answer:
    if facts.tables:
        return 1, None
    readable = any(format_.upper() in _OPEN_FORMATS for format_ in facts.formats)
    return (1, None) if readable else (0, Reason("format-closed"))


def _links_work(facts: Facts) -> Answer:
    if not facts.links:
        return None
    share = 1 - facts.broken / facts.links
    return share, Reason("links-broken", {"count": facts.broken}) if facts.broken else None


def _some(names: Sequence[str]) -> str:
    """The first few, for a sentence."""
    return "、".join(names[:5]) + ("…" if len(names) > 5 else "")


CRITERIA: Final[dict[str, Callable[[Facts], Answer]]] = {
    "abstract": _abstract,
    "checked": _checked,
    "columns_described": _columns_described,
    "contact": _contact,
    "coverage": _coverage,
    "format": _format,
    "in_time": _in_time,
    "key": _key,
    "licence": _licence,
    "links_work": _links_work,
    "loaded": _loaded,
    "open": _open,
    "subjects": _subjects,
    "table": _table,
    "units": _units,
}

REASONS: Final[dict[str, FindingKind]] = {
    "abstract-short": FindingKind(
        N_("The abstract has {count} characters"),
        N_("Say in {expected} characters or more what the data is, where it comes from and what it is good for"),
        "info",
    ),
    "checks-held": FindingKind(
        N_("The last load did not pass the checks of the data"),
        N_("Look at the results of the checks, and correct the data at its source"),
        "error",
    ),
    "checks-warned": FindingKind(
        N_("The checks of the data have warnings"), N_("Look at the results of the checks"), "warning"
    ),
    "columns-bare": FindingKind(
        N_("{count} columns have no explanation: {columns}"), N_("Explain each column in a sentence"), "warning"
    ),
    "contact-missing": FindingKind(
        N_("Nobody is named who answers questions"), N_("Fill in a contact with telephone or e-mail"), "warning"
    ),
    "coverage-missing": FindingKind(
        N_("It is not said which area and which time the data is about"),
        N_("Fill in region and time range"),
        "info",
    ),
    "cycle-irregular-old": FindingKind(
        N_("The data has not changed for more than a year, and no cycle is promised"),
        N_("Update the data, choose a cycle, or say that it is no longer updated"),
        "warning",
    ),
    "format-closed": FindingKind(
        N_("No file can be read by programs"), N_("Offer the data as a table: CSV, XLSX or through the API"), "warning"
    ),
    "items-missing": FindingKind(N_("The columns are not described"), N_("Fill in the information items"), "warning"),
    "key-missing": FindingKind(
        N_("No column is marked as the key"),
        N_("Mark the columns that tell the rows apart; then changes can be followed row by row"),
        "info",
    ),
    "late": FindingKind(
        N_("The data is {days} days late against its update cycle"),
        N_("Update the data, or choose the cycle that can be kept"),
        "error",
    ),
    "licence-missing": FindingKind(
        N_("No licence is named"), N_("Choose the terms under which the data may be used"), "warning"
    ),
    "links-broken": FindingKind(
        N_("{count} links lead nowhere"), N_("Correct the addresses, or take the files away"), "error"
    ),
    "load-refused": FindingKind(
        N_("The last load of {count} tables was refused or failed"),
        N_("Look at the findings of the load, and correct the data at its source"),
        "error",
    ),
    "never-updated": FindingKind(
        N_("It is not known when the data changed"), N_("Load the data, or fill in when it changed"), "warning"
    ),
    "open-conditional": FindingKind(
        N_("The data is open on conditions only"),
        N_("Ask whether the condition is still needed, or whether a part can be open to everybody"),
        "info",
    ),
    "subjects-few": FindingKind(
        N_("There are {count} keywords"), N_("Choose a field of opening and two keywords or more"), "info"
    ),
    "table-missing": FindingKind(
        N_("There is no table to look at and to ask by the API"), N_("Load the data as a table"), "warning"
    ),
    "units-missing": FindingKind(
        N_("{count} columns of figures have no unit: {columns}"), N_("Fill in the unit of each figure"), "info"
    ),
}
