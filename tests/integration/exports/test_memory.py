"""A table of a million rows passes through the formats with the memory of a few thousand."""

from __future__ import annotations

import uuid

import pytest
from benchmarks.drivers.memory import Memory
from ckanext.datastore.backend.postgres import get_write_engine, identifier

from ckanext.openhuizhou.data import tables
from ckanext.openhuizhou.exports.formats import FORMATS
from ckanext.openhuizhou.exports.rows import rows_of

from .conftest import query_of

ROWS = 1_000_000
#: Of a whole million as Python objects it would be several hundred.
MEBIBYTES = 100


@pytest.fixture(scope="module")
def million():
    """Made by the database itself: what is measured is the way out."""
    resource_id = str(uuid.uuid4())
    with get_write_engine().begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE {identifier(resource_id)} AS SELECT number AS _id, '惠城区第' || number || '号站' AS name,"
            " number / 7.0 AS value, DATE '2018-01-01' + mod(number, 3000) AS day"
            f" FROM generate_series(1, {ROWS}) AS numbers (number)"
        )
    yield resource_id
    tables.drop_table(resource_id)


@pytest.mark.usefixtures("with_plugins")
class TestAMillionRows:
    @pytest.mark.parametrize("name", ["csv", "jsonl", "parquet"])
    def test_memory_is_flat(self, million, name):
        query = query_of(million)
        memory = Memory()
        size = 0
        with rows_of(query) as rows:
            for piece in FORMATS[name].write(rows):
                size += len(piece)
        assert size > ROWS
        assert memory.grown() < MEBIBYTES
