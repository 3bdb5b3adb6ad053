"""Looks up what a dataset's document says beyond the dataset: department, labels, verdict of its data, score.

Three queries for a document, or for a whole batch that is announced with ``looked_up``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.reference import Reference
from ckanext.openhuizhou.model import quality
from ckanext.openhuizhou.model.load import Load

from .documents import Surroundings, listed

Verdict = tuple[bool, int | None]


@dataclass(frozen=True, slots=True)
class _Known:
    """What was asked at once. ``verdicts`` has every dataset of the batch."""

    verdicts: Mapping[str, Verdict]
    departments: Mapping[str, tuple[str, ...]]
    scores: Mapping[str, quality.Quality]


_known: ContextVar[_Known | None] = ContextVar("surroundings", default=None)


@contextmanager
def looked_up(package_dicts: Collection[Mapping[str, Any]]) -> Iterator[None]:
    """Within it, ``surroundings_of`` these datasets asks the database no more."""
    token = _known.set(_look_up(package_dicts))
    try:
        yield
    finally:
        _known.reset(token)


def surroundings_of(document: Mapping[str, Any]) -> Surroundings:
    """What goes with the document of one dataset; ``document`` is as ``before_dataset_index`` gets it."""
    known = _known.get()
    if known is None or document["id"] not in known.verdicts:
        known = _look_up([document])
    data_ok, rows = known.verdicts[document["id"]]
    score = known.scores.get(document["id"])
    return Surroundings(
        department=known.departments.get(document.get("owner_org") or "", ()),
        labels=tuple(_unique(_labels(document, config.reference()))),
        data_ok=data_ok,
        rows=rows,
        score=score.score if score is not None else None,
        freshness=score.freshness if score is not None else None,
    )


def _look_up(package_dicts: Collection[Mapping[str, Any]]) -> _Known:
    verdicts: dict[str, Verdict] = {str(one["id"]): (False, None) for one in package_dicts}
    query = (
        sa.select(Load.package_id, sa.func.bool_and(Load.verdict == "ok"), sa.func.sum(Load.rows))
        .where(Load.package_id.in_(verdicts))
        .group_by(Load.package_id)
    )
    for package_id, all_ok, rows in model.Session.execute(query):
        verdicts[package_id] = bool(all_ok), None if rows is None else int(rows)
    departments = _departments({one["owner_org"] for one in package_dicts if one.get("owner_org")})
    return _Known(verdicts, departments, quality.of(verdicts))


def _departments(organization_ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The providers' official and short names as the organizations have them now."""
    columns = model.group_table.c
    query = sa.select(columns.id, columns.title, columns.extras["short_name"].astext)
    found = model.Session.execute(query.where(columns.id.in_(organization_ids)))
    return {id_: tuple(filter(None, names)) for id_, *names in found}


def _labels(document: Mapping[str, Any], reference: Reference) -> Iterator[str]:
    for key in listed(document.get("theme")):
        theme = reference.themes.get(key)
        yield from theme.label.values() if theme else ()
    for code in listed(document.get("category")):
        for node in reference.classification.path(code)[1:]:
            yield from node.label.values()
    for code in listed(document.get("region")):
        region = reference.directory.regions.get(code)
        yield from region.label.values() if region else ()


def _unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
