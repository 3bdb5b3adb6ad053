"""Every table of ``tests/data/tables``: loaded exactly, or refused with the finding that says what to mend."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from ckanext.datastore.backend.postgres import get_read_engine
from tests.data.tables.expected import Case, cases, typed
from tests.integration.data.loads import PACKAGE, leftovers

from ckanext.openhuizhou.data import checks, datastore_tables, files, tables
from ckanext.openhuizhou.data.table_file import FileSource
from ckanext.openhuizhou.errors import TableRefused

CASES = cases()
LOADED = [case for case in CASES if not case.refused]
REFUSED = [case for case in CASES if case.refused]


@pytest.fixture
def resource_id() -> Iterator[str]:
    """Plugins stay unloaded: no hook of theirs is part of a load, and loading them takes longer than a table."""
    resource_id = str(uuid.uuid4())
    yield resource_id
    tables.drop_table(resource_id)


def _parameters(chosen: list[Case]) -> list[object]:
    pending = {case.file: [pytest.mark.xfail(reason=case.pending, strict=True)] for case in chosen if case.pending}
    return [pytest.param(case, id=case.file, marks=pending.get(case.file, [])) for case in chosen]


def stage(resource_id: str, case: Case) -> tables.StagedTable:
    source = FileSource(case.path, case.file)
    return tables.stage_file(resource_id, case.items, source, checks.by_default())


def table_rows(resource_id: str, case: Case) -> list[list[object]]:
    table = sa.table(resource_id, sa.column("_id"), *(sa.column(item.column) for item in case.items))
    wanted = sa.select(*(table.c[item.column] for item in case.items)).order_by(table.c._id)
    with get_read_engine().connect() as connection:
        return [list(row) for row in connection.execute(wanted)]


def file_rows(resource_id: str) -> list[list[str | None]]:
    with files.published_file(resource_id).open(encoding="utf-8-sig", newline="") as source:
        return [[cell or None for cell in row] for row in csv.reader(source)]


class TestLoaded:
    @pytest.mark.parametrize("case", _parameters(LOADED))
    def test_table_and_file_hold_exactly_what_the_source_says(self, resource_id: str, case: Case):
        staged = stage(resource_id, case)
        assert {finding.kind for finding in staged.findings} == case.findings
        tables.publish_table(staged, PACKAGE)
        names, *cells = file_rows(resource_id)
        assert names == [item.name for item in case.items]
        rows = table_rows(resource_id, case)
        assert rows == [[typed(c, item) for c, item in zip(row, case.items, strict=True)] for row in cells]
        assert len(cells) == case.count
        if case.rows is not None:
            assert cells == case.rows
        if case.first is not None:
            assert cells[0] == case.first
        if case.last is not None:
            assert cells[-1] == case.last
        columns = [item.column for item in case.items]
        assert {name: len(cells[0][columns.index(name)] or "") for name in case.length} == case.length


class TestRefused:
    @pytest.mark.parametrize("case", _parameters(REFUSED))
    def test_the_finding_says_what_to_mend_and_nothing_is_left(self, resource_id: str, case: Case):
        with pytest.raises(TableRefused) as caught:
            tables.publish_table(stage(resource_id, case), PACKAGE)
        found = caught.value.findings
        assert {finding.kind for finding in found} == case.refused
        place = {"row": str(found[0].row), "column": str(found[0].column)}
        assert {part: place[part] for part in case.at} == case.at
        assert leftovers(resource_id) == []
        assert datastore_tables.live_mark(resource_id) is None
