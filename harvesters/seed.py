"""``config/sources/**/*.yaml`` → rows of ``openhuizhou_source``.

The file makes the row. Once somebody has edited the row in the portal, the row is the truth: seeding then says what
differs and changes nothing. A file that changed is taken over while nobody has edited its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.schedule import is_schedule
from ckanext.openhuizhou.harvesters.compare import digest
from ckanext.openhuizhou.harvesters.kinds import check_config, kind_named
from ckanext.openhuizhou.harvesters.mapping import load_mapping
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.model.harvest import Source, source_id_of
from ckanext.openhuizhou.model.source_change import record_change
from ckanext.openhuizhou.schemas.yaml_file import read_yaml
from ckanext.openhuizhou.transport.secrets import written_out

_KEYS: Final = ("name", "title", "organization", "kind", "priority", "approved", "schedule", "config")
#: What of a row comes from its file.
_SEEDED: Final = (
    "title", "organization_id", "kind", "priority", "approved", "schedule", "config", "mapping"
)  # fmt: skip


@dataclass(slots=True)
class SeedReport:
    """Names of sources that were made or taken over anew, and ``name: what differs`` for edited ones."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    unchanged: int = 0

    def __str__(self) -> str:
        text = f"{len(self.added)} added, {len(self.changed)} changed, {self.unchanged} unchanged"
        return text if not self.differing else f"{text}; edited here and not overwritten: {'; '.join(self.differing)}"


def seed_sources(folder: Path | None = None) -> SeedReport:
    """Read every file below ``folder`` (``config/sources``), check it, and bring it into the database; commits.

    Raises:
        ConfigurationError: a file is wrong, or names no organization of this site; nothing is changed then.
    """
    folder = folder or config.config_dir() / "sources"
    documents = [read_source(path, folder) for path in sorted(folder.glob("**/*.yaml"))]
    report = SeedReport()
    for place, values in documents:
        _seed(place, values, report)
    model.Session.commit()
    return report


def read_source(path: Path, folder: Path) -> tuple[Place, dict[str, Any]]:
    """One file, checked: its place and the values of its row (``organization`` still a name).

    Raises:
        ConfigurationError: naming file and place.
    """
    place = Place(path.relative_to(folder).as_posix())
    values = place.mapping(read_yaml(path))
    place.known_keys(values, ("source", "mapping"))
    return place, check_source(place, values.get("source"), values.get("mapping"))


def check_source(place: Place, source: Any, mapping: Any) -> dict[str, Any]:
    """The two parts of a source, checked.

    Raises:
        ConfigurationError: naming file and place.
    """
    at = place / "source"
    values = at.mapping(source)
    at.known_keys(values, _KEYS)
    for name in ("name", "title", "organization", "kind"):
        if not isinstance(values.get(name), str) or not values[name].strip():
            raise at.error("{name} is needed", name=name)
    if values.get("schedule") and not is_schedule(str(values["schedule"])):
        raise (at / "schedule").error("{value} is no cron expression", value=values["schedule"])
    kind = kind_named(values["kind"], at / "kind")
    check_config(values.get("config") or {}, kind.options, at / "config")
    for path in written_out(values.get("config") or {}, kind.options):
        raise (at / "config" / path).error("a file holds no secrets: write ${{name}}, and the value into the variables")
    load_mapping(mapping or kind.default_mapping, place / "mapping")
    return {
        "name": values["name"],
        "title": values["title"],
        "organization": values["organization"],
        "kind": values["kind"],
        "priority": int(values.get("priority", 100)),
        "approved": bool(values.get("approved", False)),
        "schedule": values.get("schedule"),
        "config": values.get("config") or {},
        "mapping": mapping or {},
    }


def _seed(place: Place, values: dict[str, Any], report: SeedReport) -> None:
    organization = model.Group.get(values.pop("organization"))
    if organization is None or not organization.is_organization:
        raise (place / "source.organization").error("this organization is not on the site")
    values["organization_id"] = organization.id
    name = values.pop("name")
    wanted = digest({key: values[key] for key in _SEEDED})
    source = model.Session.execute(sa.select(Source).where(Source.name == name)).scalar_one_or_none()
    if source is None:
        source = Source(id=source_id_of(name), name=name, state={}, active=True, seed_digest=wanted, **values)
        model.Session.add(source)
        record_change(source, "seeded", None)
        report.added.append(name)
        return
    current = {key: getattr(source, key) for key in _SEEDED}
    if digest(current) == wanted:
        source.seed_digest = wanted
        report.unchanged += 1
    elif digest(current) == source.seed_digest:
        _take_over(source, values)
        source.seed_digest, source.modified = wanted, utcnow()
        report.changed.append(name)
    else:
        differing = [key for key in _SEEDED if digest(current[key]) != digest(values[key])]
        report.differing.append(f"{name}: {', '.join(differing)}")


def _take_over(source: Source, values: Mapping[str, Any]) -> None:
    changed = [key for key in _SEEDED if digest(getattr(source, key)) != digest(values[key])]
    for key, value in values.items():
        setattr(source, key, value)
    if {"kind", "config"} & set(changed):
        # what was remembered of the old place is worth nothing
        source.state, source.state_mapping = {}, None
    if "schedule" in changed:
        source.next_run = None
    record_change(source, "seeded", None, [{"field": key, "before": None, "after": None} for key in changed])
