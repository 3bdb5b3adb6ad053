"""The checks that need the whole table, in SQL on the staging table, inside the transaction that fills it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa
from ckanext.datastore.backend.postgres import identifier

from ckanext.openhuizhou.data.staging import shortened
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.item_values import TEXTUAL
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.domain.table_checks import MOST_PLACES, Level, Rule, Tally

#: Tables with fewer rows go up and down by what a share says nothing about.
COMPARED_ROWS: Final = 100
#: Memory for telling rows apart; the server's default would send a table of 100,000 rows through files.
_WORK_MEM: Final = "64MB"
_SUM: Final = r"^(合\s*计|总\s*计|小\s*计|注\s*[：:]|备注\s*[：:]|说明\s*[：:]|填表|制表|数据来源|资料来源)"
_SUM_LETTERS: Final = list(dict.fromkeys("合总小注备说填制数资"))


def look_at(
    connection: sa.Connection, table: str, items: Sequence[Item], rules: Mapping[str, Rule], before: int | None
) -> tuple[int, list[Tally]]:
    """Rows of the table, and what was found. ``table`` is a quoted name; ``before``: rows of the published one."""
    rows = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()  # noqa: S608 - quoted
    tallies = [*_row_count(rows, before, rules)]
    if not rows:
        return rows, tallies
    asked = {check for check, rule in rules.items() if rule.level != Level.IGNORE}
    if "empty-column" in asked:
        tallies += _empty_columns(connection, table, items)
    if "sum-rows" in asked:
        tallies += _sum_rows(connection, table, items)
    connection.exec_driver_sql(f"SET LOCAL work_mem = '{_WORK_MEM}'")
    key = [item for item in items if item.is_key]
    keys = _keys(connection, table, key) if key and "unique-key" in asked else None
    if keys is not None:
        tallies.append(keys)
    # rows that have keys of their own are none twice
    if "duplicate-rows" in asked and (keys is None or keys.count):
        tallies.append(_duplicates(connection, table, items))
    connection.exec_driver_sql("SET LOCAL work_mem TO DEFAULT")
    return rows, tallies


def _row_count(rows: int, before: int | None, rules: Mapping[str, Rule]) -> list[Tally]:
    if before is None or max(rows, before) < COMPARED_ROWS or rows == before:
        return []
    check, kind = ("rows-fewer", "table-rows-fewer") if rows < before else ("rows-more", "table-rows-more")
    change = Tally(check, count=abs(rows - before), of=max(rows, before))
    change.findings.append(Finding(kind, params={"rows": rows, "before": before}))
    rule = rules[check]
    # growth and shrinking within what is usual are nothing to tell of
    exceeds = rule.level_for(change.count, change.count / max(rows, before)) == rule.level
    return [change] if exceeds and rule.level != Level.IGNORE else []


def _empty_columns(connection: sa.Connection, table: str, items: Sequence[Item]) -> list[Tally]:
    """Stops at the first value of each column."""
    empty = ", ".join(
        f"NOT EXISTS (SELECT 1 FROM {table} WHERE {identifier(item.column)} IS NOT NULL)"  # noqa: S608 - quoted
        for item in items
    )
    answers = connection.exec_driver_sql(f"SELECT {empty}".replace("%", "%%")).one()
    tallies = []
    for item, is_empty in zip(items, answers, strict=True):
        if is_empty:
            tallies.append(Tally("empty-column", item.name, 1, [Finding("column-empty", column=item.name)], of=1))
    return tallies


def _sum_rows(connection: sa.Connection, table: str, items: Sequence[Item]) -> list[Tally]:
    """Sums and notes stand in the first column."""
    first = items[0]
    if first.data_type not in TEXTUAL:
        return []
    column = identifier(first.column)
    query = sa.text(
        f"SELECT _id, {column}, count(*) OVER () FROM {table}"  # noqa: S608 - quoted
        f" WHERE left({column}, 1) = ANY(:letters) AND {column} ~ :sums ORDER BY _id LIMIT :most"
    )
    found = connection.execute(query, {"letters": _SUM_LETTERS, "sums": _SUM, "most": MOST_PLACES}).all()
    findings = [Finding("row-sum", row=row, column=first.name, value=shortened(text)) for row, text, _count in found]
    return [Tally("sum-rows", None, found[0][2], findings)] if found else []


def _keys(connection: sa.Connection, table: str, key: Sequence[Item]) -> Tally:
    """Rows of which the key stands in an earlier row; those without a whole key are another check's."""
    columns = [identifier(item.column) for item in key]
    group = ", ".join(columns)
    whole = " AND ".join(f"{column} IS NOT NULL" for column in columns)
    shown = f"concat_ws(' / ', {', '.join(columns)})"
    repeated = (
        f"SELECT {group}, min(_id) AS _first, count(*) AS _rows FROM {table} WHERE {whole}"  # noqa: S608 - quoted
        f" GROUP BY {group} HAVING count(*) > 1"
    )
    tally = Tally("unique-key")
    tally.count = _more_than_first(connection, repeated)
    if tally.count:
        query = sa.text(
            f"SELECT _id, repeated._first, {shown} FROM {table} JOIN ({repeated}) AS repeated"  # noqa: S608 - quoted
            f" USING ({group}) WHERE _id > repeated._first ORDER BY _id LIMIT :most"
        )
        name = "、".join(item.name for item in key)
        for row, first, value in connection.execute(query, {"most": MOST_PLACES}):
            params = {"first": first}
            finding = Finding("row-key-duplicate", row=row, column=name, value=shortened(value), params=params)
            tally.findings.append(finding)
    return tally


def _duplicates(connection: sa.Connection, table: str, items: Sequence[Item]) -> Tally:
    """Rows are told apart by a hash of 64 bits of their values, as a hash join does."""
    row = f"hash_record_extended(ROW({', '.join(identifier(item.column) for item in items)}), 0)"
    repeated = (
        f"SELECT {row} AS _hash, min(_id) AS _first, count(*) AS _rows FROM {table}"  # noqa: S608 - quoted
        " GROUP BY 1 HAVING count(*) > 1"
    )
    tally = Tally("duplicate-rows")
    tally.count = _more_than_first(connection, repeated)
    if tally.count:
        query = sa.text(
            f"SELECT _id, repeated._first FROM {table} JOIN ({repeated}) AS repeated ON {row} = repeated._hash"  # noqa: S608
            " WHERE _id > repeated._first ORDER BY _id LIMIT :most"
        )
        for number, first in connection.execute(query, {"most": MOST_PLACES}):
            tally.findings.append(Finding("row-duplicate", row=number, params={"first": first}))
    return tally


def _more_than_first(connection: sa.Connection, repeated: str) -> int:
    query = f"SELECT coalesce(sum(_rows - 1), 0)::bigint FROM ({repeated}) AS repeated"  # noqa: S608 - quoted
    return connection.exec_driver_sql(query.replace("%", "%%")).scalar_one()
