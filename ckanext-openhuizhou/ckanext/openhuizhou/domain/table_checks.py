"""The checks of the rows behind an entry: what there is, how strict each is, and what follows from what they found.

The list is data, ``schemas/data_checks.yaml``. A check counts (``Tally``) for a column or for the table; ``judge``
compares the counts with the rules of the entry. Levels, from mild to strict:

    ignore    the check is not made
    warn      the table is published, the findings are told
    hold      what was published stays until an officer who may publish has decided
    refuse    what was published stays

A rule's threshold says how much is tolerated: as long as no more is found, a strict level only warns and a warning
only counts. Below 1 it is a share of the rows, from 1 on a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas import yaml_file
from ckanext.openhuizhou.schemas.fields import LOCALES

from .findings import Finding

#: Findings of one check and column that a report lists one by one …
LISTED: Final = 20
#: … and that the table of bad rows has.
MOST_PLACES: Final = 1000
FILE: Final = Path(yaml_file.__file__).with_name("data_checks.yaml")

About = Literal["header", "cells", "column", "rows", "table"]
Verdict = Literal["passed", "warned", "held", "refused"]


class Level(StrEnum):
    """In the order of strictness."""

    IGNORE = "ignore"
    WARN = "warn"
    HOLD = "hold"
    REFUSE = "refuse"


STRICTNESS: Final = tuple(Level)
_VERDICTS: Final[Mapping[Level, Verdict]] = {
    Level.IGNORE: "passed",
    Level.WARN: "warned",
    Level.HOLD: "held",
    Level.REFUSE: "refused",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """How strict a check is in one entry."""

    level: Level
    threshold: Decimal = Decimal(0)

    def level_for(self, count: int, share: float) -> Level:
        """What follows from so many findings."""
        if not count:
            return Level.IGNORE
        found = Decimal(str(share)) if self.threshold < 1 and self.threshold else Decimal(count)
        if found > self.threshold:
            return self.level
        return Level.WARN if self.level in (Level.HOLD, Level.REFUSE) else Level.IGNORE


@dataclass(frozen=True, slots=True)
class Check:
    """One check; ``label``, ``help`` and ``share_of`` by locale."""

    key: str
    about: About
    label: Mapping[str, str]
    help: Mapping[str, str]
    default: Rule
    levels: tuple[Level, ...]
    share_of: Mapping[str, str] | None = None


@dataclass(slots=True)
class Tally:
    """What one check found in one column (``column``: its label), or in the whole table (None). ``findings``: the first
    of them; ``of``: what ``count`` is a part of, the number of rows by default."""

    check: str
    column: str | None = None
    count: int = 0
    findings: list[Finding] = field(default_factory=list)
    of: int | None = None

    def add(self, finding: Finding) -> None:
        """Count one finding; it is kept while there is room."""
        self.count += 1
        if len(self.findings) < MOST_PLACES:
            self.findings.append(finding)


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found and what follows. ``findings`` carry the level in ``params``, from which their severity
    follows; as many as were kept."""

    check: str
    column: str | None
    level: Level
    count: int
    share: float
    findings: tuple[Finding, ...]

    def listed(self) -> list[Finding]:
        """The findings that a report shows: the first, and how many more there are."""
        listed = list(self.findings[:LISTED])
        if self.count > len(listed):
            params = {"count": self.count - len(listed), "check": self.check, "level": str(self.level)}
            kind = "check-more" if self.column else "check-more-rows"
            listed.append(Finding(kind, column=self.column, params=params))
        return listed

    def as_dict(self) -> dict[str, Any]:
        """As it is stored; findings as ``Finding`` fields."""
        return {
            "check": self.check,
            "column": self.column,
            "level": str(self.level),
            "count": self.count,
            "share": self.share,
            "findings": [finding.as_dict() for finding in self.findings[:LISTED]],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a table. ``bad_rows``: rows with a finding; where more were found than kept, at least so many."""

    verdict: Verdict
    rows: int
    bad_rows: int
    results: tuple[Result, ...]

    def findings(self, *levels: Level) -> list[Finding]:
        """The findings to be listed, of results with one of these levels."""
        return [finding for result in self.results if result.level in levels for finding in result.listed()]


@cache
def checks() -> Mapping[str, Check]:
    """All checks by key, in the file's order.

    Raises:
        ConfigurationError: naming the check, when the file is wrong.
    """
    content = yaml_file.read_yaml(FILE)
    found = [_check(values) for values in content["checks"]]
    if len({check.key for check in found}) != len(found):
        raise ConfigurationError("{file}: a check stands twice", file=FILE.name)
    return MappingProxyType({check.key: check for check in found})


def rules_with(changed: Mapping[str, tuple[str, Decimal | None]]) -> dict[str, Rule]:
    """The rule of every check: what an entry's officers changed, else the default. What is not known is left out."""
    rules = {key: check.default for key, check in checks().items()}
    for key, (level, threshold) in changed.items():
        if key in rules and level in set(checks()[key].levels):
            rules[key] = Rule(Level(level), threshold or Decimal(0))
    return rules


def judge(tallies: Iterable[Tally], rows: int, rules: Mapping[str, Rule]) -> Report:
    """What follows from what was found in a table of so many rows."""
    results = []
    for tally in tallies:
        if not tally.count:
            continue
        share = round(tally.count / max(rows if tally.of is None else tally.of, 1), 6)
        level = rules[tally.check].level_for(tally.count, share)
        findings = tuple(_with_level(finding, level) for finding in tally.findings)
        results.append(Result(tally.check, tally.column, level, tally.count, share, findings))
    order = {key: number for number, key in enumerate(checks())}
    results.sort(key=lambda result: (-STRICTNESS.index(result.level), order[result.check]))
    strictest = max((result.level for result in results), key=STRICTNESS.index, default=Level.IGNORE)
    return Report(_VERDICTS[strictest], rows, _bad_rows(results), tuple(results))


def _with_level(finding: Finding, level: Level) -> Finding:
    return replace(finding, params={**finding.params, "level": str(level)})


def _bad_rows(results: Sequence[Result]) -> int:
    told = [result for result in results if result.level != Level.IGNORE and checks()[result.check].about in _BY_ROW]
    known = {finding.row for result in told for finding in result.findings}
    return max([len(known), *(result.count for result in told)])


_BY_ROW: Final = frozenset({"cells", "rows"})


def _check(values: Mapping[str, Any]) -> Check:
    key = values["key"]
    for name in ("label", "help"):
        if any(not values.get(name, {}).get(locale) for locale in LOCALES):
            raise ConfigurationError("{file}: check “{key}” lacks {name}", file=FILE.name, key=key, name=name)
    levels = tuple(Level(level) for level in values["levels"])
    default = Rule(Level(values["level"]), Decimal(str(values.get("threshold", 0))))
    if default.level not in levels:
        raise ConfigurationError("{file}: check “{key}” lacks {name}", file=FILE.name, key=key, name="level")
    return Check(key, values["about"], values["label"], values["help"], default, levels, values.get("share_of"))
