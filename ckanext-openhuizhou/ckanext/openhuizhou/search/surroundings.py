"""Looks up what a dataset's document says beyond the dataset: department, labels, verdict of its data.

Two small queries by key for each document; a rebuild of the index asks the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.reference import Reference
from ckanext.openhuizhou.model.load import Load

from .documents import Surroundings, listed


def surroundings_of(document: Mapping[str, Any]) -> Surroundings:
    """What goes with the document of one dataset; ``document`` is as ``before_dataset_index`` gets it."""
    data_ok, rows = _verdict(str(document["id"]))
    return Surroundings(
        department=tuple(_department(document.get("owner_org"))),
        labels=tuple(_unique(_labels(document, config.reference()))),
        data_ok=data_ok,
        rows=rows,
    )


def _verdict(package_id: str) -> tuple[bool, int | None]:
    query = sa.select(sa.func.bool_and(Load.verdict == "ok"), sa.func.sum(Load.rows)).where(
        Load.package_id == package_id
    )
    all_ok, rows = model.Session.execute(query).one()
    return bool(all_ok), None if rows is None else int(rows)


def _department(organization_id: str | None) -> Iterator[str]:
    """The provider's official and short name as the organization has them now."""
    columns = model.group_table.c
    query = sa.select(columns.title, columns.extras["short_name"].astext).where(columns.id == organization_id)
    for names in model.Session.execute(query):
        yield from filter(None, names)


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
