"""Reading and writing the state of records (``model.harvest.Record``), many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from ckan import model
from sqlalchemy.dialects.postgresql import ARRAY, insert

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters.compare import plain
from ckanext.openhuizhou.model.harvest import Record, RunFinding, Source

#: Results that leave the published entry as it should be.
GOOD = ("added", "changed", "unchanged")
Stored = sa.RowMapping
_PAGE: Final = 1000


#: What tells whether a record is as it was; the other columns are long.
_SHORT: Final = (
    "key", "state", "dataset_id", "hash", "data_digest", "payload_digest", "mapping_digest", "kind_state",
    "last_result", "last_run_id",
)  # fmt: skip


def load(source_id: str, keys: Iterable[str]) -> dict[str, Stored]:
    """What tells whether these records are as they were, by key; without columns, findings and titles."""
    return _load(source_id, keys, *(Record.__table__.c[name] for name in _SHORT))


def load_whole(source_id: str, keys: Iterable[str]) -> dict[str, Stored]:
    """The whole stored state of these records, by key."""
    return _load(source_id, keys, Record.__table__)


def _load(source_id: str, keys: Iterable[str], *columns: Any) -> dict[str, Stored]:
    keys = list(keys)
    if not keys:
        return {}
    query = sa.select(*columns).where(Record.source_id == source_id, Record.key.in_(keys))
    return {row["key"]: row for row in model.Session.execute(query).mappings()}


def load_datasets(source_id: str, dataset_ids: Iterable[str]) -> list[Stored]:
    """The stored state of the records that became these datasets; those of other sources are left out."""
    table = Record.__table__
    mine = sa.select(table).where(table.c.source_id == source_id, table.c.dataset_id.in_(list(dataset_ids)))
    return list(model.Session.execute(mine.order_by(table.c.key)).mappings())


def refused_pages(source_id: str) -> Iterator[Sequence[Stored]]:
    """Key, title and findings of the records that were refused at their last reading, a page when it is needed."""
    query = sa.select(Record.key, Record.title, Record.findings)
    query = query.where(Record.source_id == source_id, Record.last_result == "refused").order_by(Record.key)
    after = ""
    while page := model.Session.execute(query.where(Record.key > after).limit(_PAGE)).mappings().all():
        yield page
        after = page[-1]["key"]


def save(source_id: str, key: str, values: Mapping[str, Any]) -> None:
    """Write the state of one record, in the session's transaction; what ``values`` does not name stays as it is."""
    save_all(source_id, {key: values})


def save_all(source_id: str, records: Mapping[str, Mapping[str, Any]]) -> None:
    """The same for many: key → values. One statement for all that name the same columns."""
    alike: dict[frozenset[str], list[dict[str, Any]]] = {}
    new = {"state": "failed", "kind_state": {}, "findings": [], "first_seen": utcnow(), "source_id": source_id}
    for key, values in records.items():
        alike.setdefault(frozenset(values), []).append(new | {"key": key} | dict(values))
    for names, rows in alike.items():
        # rows as parameters: a statement with the values in it would be compiled anew for each batch
        statement = insert(Record.__table__)
        changes = {name: statement.excluded[name] for name in sorted(names)}
        upsert = statement.on_conflict_do_update(index_elements=["source_id", "key"], set_=changes)
        model.Session.connection().execute(upsert, rows)


def mark_seen(source_id: str, rules: Mapping[str, str | None], run_id: str) -> None:
    """These records are as they were. ``rules``: key → what told so. A record that lost its entry meanwhile stays."""
    if rules:
        columns = (sa.cast(list(values), ARRAY(sa.UnicodeText)) for values in (rules, rules.values()))
        told = sa.func.unnest(*columns).table_valued("key", "rule").render_derived(name="told")
        model.Session.execute(
            sa.update(Record)
            .where(Record.source_id == source_id, Record.key == told.c.key, Record.state == "published")
            .values(last_run_id=run_id, last_result="unchanged", last_seen=utcnow(), rule=told.c.rule)
            .execution_options(synchronize_session=False)
        )


def finding_values(run_id: str, finding: Finding, key: str | None, title: str | None = None) -> dict[str, Any]:
    """One row of ``openhuizhou_finding``."""
    return {
        "run_id": run_id,
        "kind": finding.kind,
        "severity": finding.severity,
        "record": finding.record or key,
        "title": title,
        "field": finding.field,
        "row": finding.row,
        "column": finding.column,
        "value": finding.value,
        "params": plain(dict(finding.params)),
    }


def add_findings(rows: list[dict[str, Any]]) -> None:
    """Write findings of a run, in the session's transaction."""
    if rows:
        model.Session.execute(sa.insert(RunFinding), rows)


def finding_from(values: Mapping[str, Any]) -> Finding:
    """A finding that was stored with a record."""
    names = ("kind", "record", "field", "row", "column", "value", "params")
    return Finding(**{name: values[name] for name in names if values.get(name) is not None})


def finding_to(finding: Finding) -> dict[str, Any]:
    """A finding as it is stored with a record; ``finding_from`` reads it."""
    values = finding_values("", finding, None)
    return {name: values[name] for name in ("kind", "record", "field", "row", "column", "value", "params")}


def read_again(dataset_id: str) -> None:
    """Let the next run read this entry's record and its rows anew, as other rules hold for them now; in the session's
    transaction."""
    record = (
        sa.update(Record)
        .where(Record.dataset_id == dataset_id)
        .values(hash=None, refused_hash=None, payload_digest=None, data_digest=None)
        .returning(Record.source_id)
        .execution_options(synchronize_session=False)
    )
    sources = list(model.Session.execute(record).scalars())
    # a source that answers “not modified” would not be read
    anew = sa.update(Source).where(Source.id.in_(sources)).values(state_mapping=None)
    model.Session.execute(anew.execution_options(synchronize_session=False))
