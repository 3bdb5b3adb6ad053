"""The demo data are the same on every machine, are made once, and have a realistic volume."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SYSTEMS = ("huanbaoju", "anjianju", "minzhengju", "jiaotongju")
Generate = Callable[..., str]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def counts(folder: Path) -> dict[str, int]:
    """Rows by dataset of a system that keeps them in SQLite."""
    connection = sqlite3.connect(folder / "rows.sqlite")
    try:
        return dict(connection.execute("SELECT key, rows FROM digest").fetchall())
    finally:
        connection.close()


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_same_seed_gives_the_same_bytes(
    name: str, generated: Callable[[str], Path], generate: Generate, tmp_path: Path
) -> None:
    generate(name, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(generated(name))


def test_another_seed_gives_other_data(generated: Callable[[str], Path], generate: Generate, tmp_path: Path) -> None:
    generate("anjianju", tmp_path / "other", "--seed", "2019")
    workbook = "安全生产行政处罚.xlsx"
    assert contents(tmp_path / "other")[workbook] != contents(generated("anjianju"))[workbook]


def test_a_second_start_reuses_what_is_there(generate: Generate, tmp_path: Path) -> None:
    assert "generated" in generate("minzhengju", tmp_path)
    written = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert "reused" in generate("minzhengju", tmp_path)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == written


def test_an_interrupted_start_is_made_good(
    generate: Generate, generated: Callable[[str], Path], tmp_path: Path
) -> None:
    # killed while it moved files up: no marker yet, half of the files, the rest still in the inner folder
    (tmp_path / ".building").mkdir()
    (tmp_path / ".building" / "manifest.csv").write_bytes(b"half")
    (tmp_path / "old.csv").write_bytes(b"left over")
    generate("minzhengju", tmp_path)
    assert contents(tmp_path) == contents(generated("minzhengju"))


def test_volume_reaches_from_dozens_to_two_hundred_thousand_rows(generated: Callable[[str], Path]) -> None:
    rows = counts(generated("huanbaoju")) | counts(generated("jiaotongju"))
    assert rows["HBJ-KQ-001"] == 23 * 8760
    assert min(rows.values()) >= 100
    assert sum(rows.values()) > 300_000


def test_every_declared_dataset_has_rows(
    generated: Callable[[str], Path], declared: dict[str, list[dict[str, Any]]]
) -> None:
    for name in ("huanbaoju", "jiaotongju"):
        assert set(counts(generated(name))) == {dataset["key"] for dataset in declared[name]}
    for name in ("minzhengju", "anjianju"):
        files = set(contents(generated(name)))
        assert {dataset["file"] for dataset in declared[name]} <= files


def test_hourly_air_has_each_station_and_hour_once(generated: Callable[[str], Path]) -> None:
    connection = sqlite3.connect(generated("huanbaoju") / "rows.sqlite")
    try:
        pairs, stations, worst = connection.execute(
            "SELECT count(DISTINCT c0 || c2), count(DISTINCT c0), max(c3) FROM t0"
        ).fetchone()
    finally:
        connection.close()
    assert (pairs, stations) == (201_480, 23)
    assert worst < 500, "the index ends at 500"
