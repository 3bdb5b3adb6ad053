"""Columns that change at the source: none is published that nobody reviewed.

A record's columns are kept as ``[column, data_type, name at the source, type at the source]``; ``column`` and
``data_type`` are empty for a column that the mapping's list leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.harvesters.mapping import MappedRecord
from ckanext.openhuizhou.model.harvest import Record, Source

Columns = Sequence[Sequence[str]]

_LONGEST_CHANGE: Final = 500


@dataclass(frozen=True, slots=True)
class Drift:
    """``change``: what has to be reviewed (``+new -gone ~retyped``), empty when nothing has. ``new``: names of columns
    that are new at the source and stay out."""

    change: str = ""
    new: tuple[str, ...] = ()


def columns_of(mapped: MappedRecord) -> list[list[str]]:
    """The columns of a record as they are kept."""
    there = mapped.source_columns
    columns = [[m.item.column, m.item.data_type, m.cell, there.get(m.cell, "")] for m in mapped.items]
    if mapped.listed:
        published = {item.cell for item in mapped.items}
        columns += [["", "", name, type_] for name, type_ in there.items() if name not in published]
    return columns


def published(columns: Columns | None) -> list[tuple[str, str]]:
    """Column id and data type of those that are in the table, in its order."""
    return [(column[0], column[1]) for column in columns or () if column[0]]


def drift(before: Columns, after: Columns, *, listed: bool) -> Drift:
    """What happened to the columns behind the same mapping."""
    if not listed:
        return Drift(_change(dict(published(before)), dict(published(after))))
    # types that the source gave before and gives now; it may give none
    typed_before, typed_after = _types(before), _types(after)
    retyped = [
        f"~{name}: {typed_before[name]} → {type_}"
        for name, type_ in typed_after.items()
        if typed_before.get(name, type_) != type_
    ]
    known = {column[2] for column in before if len(column) > 2}
    new = [column[2] for column in after if not column[0] and known and column[2] not in known]
    return Drift(" ".join(retyped)[:_LONGEST_CHANGE], tuple(new))


def _change(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    parts = [f"+{name}" for name in sorted(after.keys() - before.keys())]
    parts += [f"-{name}" for name in sorted(before.keys() - after.keys())]
    parts += [
        f"~{name}: {before[name]} → {after[name]}"
        for name in sorted(before.keys() & after.keys())
        if before[name] != after[name]
    ]
    return " ".join(parts)[:_LONGEST_CHANGE]


def _types(columns: Columns) -> dict[str, str]:
    return {column[2]: column[3] for column in columns if len(column) > 3 and column[0] and column[3]}


def described(columns: Columns | None) -> list[dict[str, Any]]:
    """The columns by name, for pages: column, data_type, name, source_type, published."""
    names = ("column", "data_type", "name", "source_type")
    padded = [[*column, "", ""][:4] for column in columns or ()]
    return [dict(zip(names, column, strict=True)) | {"published": bool(column[0])} for column in padded]


def accept_columns(source_id: str, key: str) -> bool:
    """A platform officer has reviewed the columns that wait: the next run loads them. Commits.

    False: there is no such record, or nothing of it waits.
    """
    accepted = model.Session.execute(
        sa.update(Record)
        .where(Record.source_id == source_id, Record.key == key, Record.held_columns.is_not(None))
        .values(columns=Record.held_columns, held_columns=None, hash=None, refused_hash=None, payload_digest=None)
        .returning(Record.key)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if accepted is not None:
        # a source that answers “not modified” would not be read
        model.Session.execute(
            sa.update(Source)
            .where(Source.id == source_id)
            .values(state_mapping=None)
            .execution_options(synchronize_session=False)
        )
    model.Session.commit()
    return accepted is not None
