"""Brings the scores of entries up to date: whatever changed an entry, its score follows within a minute or so.

What changed is asked of the database (``model.quality.stale``), so that no way of writing an entry has to remember the
score, and a lost message costs nothing. An entry whose score or freshness has changed is indexed again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from ckan import model
from ckan.types import Context

from ckanext.openhuizhou.domain import quality as rule
from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.freshness import due, freshness
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.quality_criteria import Facts
from ckanext.openhuizhou.domain.visibility import public_items
from ckanext.openhuizhou.model import quality as scores
from ckanext.openhuizhou.model.data_check import DataCheck
from ckanext.openhuizhou.model.link import Link
from ckanext.openhuizhou.model.load import Load
from ckanext.openhuizhou.search import outbox
from ckanext.openhuizhou.search.package_dicts import package_dicts, packages
from ckanext.openhuizhou.search.shown import shown

#: Entries in one transaction.
PAGE: Final = 200


def refresh_stale(limit: int = PAGE, now: datetime | None = None) -> int:
    """Score up to ``limit`` entries that have changed. How many there were; as many as ``limit``: there may be more."""
    found = scores.stale(now or utcnow(), limit)
    refresh(found, now)
    return len(found)


def refresh(package_ids: Collection[str], now: datetime | None = None) -> None:
    """Score these entries. Commits."""
    # taken before the entries are read: what changes while they are read is newer than the score
    computed_at = now or utcnow()
    known = {id_: (one.score, one.freshness) for id_, one in scores.of(package_ids).items()}
    rows = [_row(package, facts, computed_at) for package, facts in _facts(package_ids, computed_at)]
    model.Session.rollback()
    scores.put(rows)
    moved = [row["package_id"] for row in rows if known.get(row["package_id"]) != (row["score"], row["freshness"])]
    if moved:
        outbox.enqueue(moved)
        model.Session.commit()


def _row(package: model.Package, facts: Facts, computed_at: datetime) -> dict[str, Any]:
    score = rule.judge(facts)
    return {
        "package_id": package.id,
        "organization_id": package.owner_org or "",
        "score": score.total,
        "dimensions": {key: judged.as_dict() for key, judged in score.dimensions.items()},
        "freshness": freshness(facts.update_cycle, facts.changed, computed_at),
        "due": due(facts.update_cycle, facts.changed),
        "computed_at": computed_at,
    }


def _facts(package_ids: Collection[str], now: datetime) -> Iterable[tuple[model.Package, Facts]]:
    found = packages(package_ids)
    dicts = package_dicts(found.values())
    loads = _by_package(sa.select(Load.package_id, Load.verdict).where(Load.package_id.in_(package_ids)))
    checks = _by_package(
        sa.select(DataCheck.package_id, DataCheck.verdict).where(DataCheck.package_id.in_(package_ids))
    )
    links = _by_package(sa.select(Link.package_id, Link.state).where(Link.package_id.in_(package_ids)))
    for id_, package in found.items():
        # what only CKAN itself can show (``package_dicts``) is judged by what stands in its own columns
        entry = shown(dicts[id_], Context())[1] if id_ in dicts else {**(package.extras or {}), "notes": package.notes}
        yield package, _facts_of(entry, loads.get(id_, []), checks.get(id_, []), links.get(id_, []), now)


def _facts_of(entry: Mapping[str, Any], loads: list[str], checks: list[str], links: list[str], now: datetime) -> Facts:
    items = [Item.from_dict(values) for values in entry.get("items") or () if isinstance(values, Mapping)]
    resources = entry.get("resources") or ()
    return Facts(
        notes=entry.get("notes") or "",
        tags=len(entry.get("tags") or ()),
        theme=bool(entry.get("theme")),
        contact=bool(entry.get("contact_name") and (entry.get("contact_phone") or entry.get("contact_email"))),
        region=bool(entry.get("region")),
        time_range=bool(entry.get("time_range")),
        items=public_items(entry, items),
        tables=sum(bool(resource.get("datastore_active")) for resource in resources),
        loads=loads,
        checks=checks,
        update_cycle=entry.get("update_cycle") or "",
        changed=_moment(entry.get("data_modified") or entry.get("issued")),
        now=now,
        open_type=entry.get("open_type") or "",
        licence=bool(entry.get("license_id")) and entry.get("license_id") != "notspecified",
        formats=[resource.get("format") or "" for resource in resources],
        links=len(links),
        broken=sum(state == "broken" for state in links),
    )


def _by_package(query: sa.Select[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for package_id, value in model.Session.execute(query):
        found.setdefault(package_id, []).append(value)
    return found


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
