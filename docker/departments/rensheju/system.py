"""市人力资源和社会保障局: a PostgreSQL front database (前置库).

Schema ``qzk``: one table per dataset, with comments on tables and columns and the update time ``gxsj`` of each row;
``qzk.zyml`` describes them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from importlib.metadata import version

import psycopg2
import yaml
from common.datasets import HERE, Dataset, Department
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class with a small name
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - a class with a small name

SCHEMA = "qzk"
CATALOGUE = "zyml"
KEY_COMMENT, CHANGED_COMMENT = "数据表名", "更新时间"


def fill(dsn: str, department: Department) -> bool:
    """Create and fill the schema in one transaction unless it already holds these data; returns whether it did."""
    fingerprint = f"{department.fingerprint()}/{version('chinesecalendar')}"
    connection = psycopg2.connect(dsn.replace("postgresql+psycopg2:", "postgresql:", 1))
    try:
        with connection:
            return _fill(connection, department, fingerprint)
    finally:
        connection.close()


def _fill(connection: Connection, department: Department, fingerprint: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description(to_regnamespace(%s)::oid, 'pg_namespace')", [SCHEMA])
        found = cursor.fetchone()
        if found and found[0] == fingerprint:
            return False
        schema = sql.Identifier(SCHEMA)
        cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))
        cursor.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
        cursor.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(schema, sql.Literal(fingerprint)))
        for dataset in department.datasets:
            _create_table(cursor, dataset)
            _copy(cursor, dataset.key, _stamped(department, dataset))
        _create_catalogue(cursor, department)
        return True


def _create_table(cursor: Cursor, dataset: Dataset) -> None:
    columns = [*dataset.columns, {"name": "gxsj", "type": "timestamp", "label": CHANGED_COMMENT}]
    keys = [column["name"] for column in dataset.columns if column.get("key")]
    _create(cursor, dataset.key, columns, keys, dataset.metadata["zymc"])


def _create(cursor: Cursor, table: str, columns: Sequence[dict], keys: Sequence[str], comment: str) -> None:
    name = sql.Identifier(SCHEMA, table)
    parts = [sql.SQL("{} {}").format(sql.Identifier(one["name"]), sql.SQL(one["type"])) for one in columns]
    parts.append(sql.SQL("PRIMARY KEY ({})").format(sql.SQL(", ").join(map(sql.Identifier, keys))))
    cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(name, sql.SQL(", ").join(parts)))
    cursor.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(name, sql.Literal(comment)))
    for one in columns:
        column = sql.Identifier(SCHEMA, table, one["name"])
        cursor.execute(sql.SQL("COMMENT ON COLUMN {} IS {}").format(column, sql.Literal(one["label"])))


def _stamped(department: Department, dataset: Dataset) -> Iterable[Sequence[object]]:
    changed = dataset.extra["changed"]
    for row in department.rows(dataset.key):
        yield (*row, changed)


def _create_catalogue(cursor: Cursor, department: Department) -> None:
    declared = yaml.safe_load((HERE / department.name / "datasets.yaml").read_text(encoding="utf-8"))
    labels: dict[str, str] = {"bm": KEY_COMMENT, **declared["catalogue_columns"], "gxsj": CHANGED_COMMENT}
    types = {"gxsj": "timestamp", "sjjb": "integer", "sfys": "boolean"}
    columns = [{"name": name, "type": types.get(name, "text"), "label": label} for name, label in labels.items()]
    _create(cursor, CATALOGUE, columns, ["bm"], "资源目录表")
    rows = (
        {"bm": dataset.key, **dataset.metadata, "gxsj": datetime.fromisoformat(dataset.extra["changed"])}
        for dataset in department.datasets
    )
    _copy(cursor, CATALOGUE, ([row.get(name) for name in labels] for row in rows))


def _copy(cursor: Cursor, table: str, rows: Iterable[Sequence[object]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    buffer.seek(0)
    cursor.copy_expert(sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(sql.Identifier(SCHEMA, table)), buffer)
