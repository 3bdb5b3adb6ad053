"""Points 14 and 20 of docs/harvest-failures.md: memory does not grow with the number of records, nor with that of the
findings. The whole curve, to 300,000 records, is that of ``make bench-harvest``."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from benchmarks.drivers import memory
from ckan import model
from tests.integration.harvesters.conftest import COLUMNS, Department, Feed
from tests.integration.harvesters.workers import start_command, start_worker

from ckanext.openhuizhou.harvesters import lease
from ckanext.openhuizhou.model.harvest import Run, Source

PAGE = 500
#: KiB: what the interpreter has not yet given back of batches that are gone. The text of a record takes 16 KiB.
TOLERANCE = 32 * 1024


def many(department: Department, count: int) -> None:
    """The department's service has so many records, and makes each page when it is asked for."""

    def page(handler: Any) -> Any:
        number = int(parse_qs(urlsplit(handler.path).query).get("page", ["1"])[0])
        keys = range((number - 1) * PAGE, min(number * PAGE, count))
        return 200, {}, json.dumps({"list": [record(department, key) for key in keys], "total": count}).encode()

    department.web.pages["/catalog"] = page


def record(department: Department, key: int) -> dict[str, Any]:
    title = department.organization["title"]
    # nearly all are refused: writing thousands of entries takes minutes, and is what the benchmark measures
    cycle = "偶尔" if key % 100 else "每日"
    return {"id": f"N-{key:06}", "名称": f"{title}数据{key}", "提供单位": title, "更新频率": cycle,
            "关键词": "空气", "columns": COLUMNS, "version": "1", "说明": "演示" * 4000}  # fmt: skip


def add_findings(run_id: str, count: int) -> None:
    """In the session's transaction."""
    many = sa.text(
        "INSERT INTO openhuizhou_finding (run_id, kind, severity, record, title, params)"
        " SELECT :run, 'provider-missing', 'error', 'D-' || n, '演示', '{}' FROM generate_series(1, :count) AS n"
    )
    model.Session.execute(many, {"run": run_id, "count": count})


@dataclass
class Measured:
    """A process that ends; ``through`` is the command that starts it and measures it."""

    file: Path

    @property
    def through(self) -> tuple[str, ...]:
        return sys.executable, memory.__file__, str(self.file)

    @property
    def peak(self) -> int:
        """KiB that it took at most."""
        return int(self.file.read_text())


class TestPoint14ManyRecords:
    SIZES = (2_000, 8_000)

    @pytest.fixture
    def paged(self, feed: Feed) -> Feed:
        """A source of pages, without tables."""
        source = model.Session.get_one(Source, feed.source_id)
        paging = {"page": "page", "per_page": PAGE, "total": "total"}
        config = {name: value for name, value in source.config.items() if name not in ("data", "covers_data")}
        source.config = {**config, "paging": paging}
        model.Session.commit()
        return feed

    def test_memory_of_a_run_does_not_grow_with_them(
        self, department: Department, paged: Feed, request: pytest.FixtureRequest, tmp_path: Path
    ):
        """Kept, the texts of the larger source alone would be 94 MiB more."""
        peaks: list[int] = []
        for count in self.SIZES:
            many(department, count)
            measured = Measured(tmp_path / "peak")
            assert start_worker(department, paged, request, tmp_path, through=measured.through).wait() == 0
            peaks.append(measured.peak)
            model.Session.remove()
            last = sa.select(Run).where(Run.source_id == paged.source_id).order_by(Run.created.desc()).limit(1)
            run = model.Session.scalars(last).one()
            live, refused = run.added + run.unchanged, run.refused
            assert (run.state, live, refused) == ("done", count // 100, count - count // 100)
        assert peaks[1] - peaks[0] < TOLERANCE, peaks


class TestPoint20ManyFindings:
    COUNT = 100_000

    @pytest.fixture
    def run_id(self, feed: Feed) -> str:
        """A run that found so much."""
        run_id, _new = lease.queue(feed.source_id)
        add_findings(run_id, self.COUNT)
        model.Session.execute(sa.update(Run).where(Run.id == run_id).values(state="done"))
        model.Session.commit()
        model.Session.remove()
        return run_id

    def test_all_are_exported_and_memory_does_not_grow_with_them(
        self, department: Department, feed: Feed, run_id: str, request: pytest.FixtureRequest, tmp_path: Path
    ):
        few, _new = lease.queue(feed.source_id)
        model.Session.remove()
        peaks = {}
        for wanted in (few, run_id):
            out = tmp_path / f"{wanted}.csv"
            with out.open("wb") as stream:
                command = ("openhuizhou", "harvest", "report", wanted, "--csv")
                measured = Measured(tmp_path / "peak")
                started = start_command(
                    department, request, tmp_path, *command, stdout=stream, through=measured.through
                )
                assert started.wait() == 0
            peaks[wanted] = measured.peak
        assert (tmp_path / f"{run_id}.csv").stat().st_size > 100 * self.COUNT
        with (tmp_path / f"{run_id}.csv").open(encoding="utf-8-sig", newline="") as stream:
            records = {row[0] for row in csv.reader(stream)}
        assert records >= {f"D-{number}" for number in range(1, self.COUNT + 1)}
        assert peaks[run_id] - peaks[few] < TOLERANCE, peaks
