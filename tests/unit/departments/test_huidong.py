"""惠东县's portal: its data are marked as made up, the same everywhere, and fit the mapping that reads them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from ckanext.openhuizhou.harvesters.mapping import load_mapping
from ckanext.openhuizhou.harvesters.rules import Place

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docker" / "huidong"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"huidong_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def datasets() -> list[dict[str, Any]]:
    return yaml.safe_load((FOLDER / "datasets.yaml").read_text("utf-8"))["datasets"]


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    return load("tables")


def test_every_table_has_the_cells_that_its_fields_name(datasets: list[dict[str, Any]], tables: ModuleType):
    with_tables = [one for one in datasets if "table" in one]
    assert {one["table"]["rows"] for one in with_tables} == set(tables.TABLES)
    for one in with_tables:
        rows = list(tables.TABLES[one["table"]["rows"]]())
        assert {len(row) for row in rows} == {len(one["table"]["fields"])}, one["name"]


def test_made_up_data_say_so(datasets: list[dict[str, Any]], tables: ModuleType):
    for one in datasets:
        rows = list(tables.TABLES[one["table"]["rows"]]()) if "table" in one else []
        assert "演示数据" in one.get("notes", "") or "演示" in json.dumps(rows, ensure_ascii=False), one["name"]
        for resource in one.get("resources", []):
            assert "//huidong.example/" in resource["url"], "no address of a real server is made up"


def test_rows_are_the_same_at_every_call(tables: ModuleType):
    for make in tables.TABLES.values():
        assert list(make()) == list(make())


def test_the_file_of_a_table_has_labels_as_its_header(tables: ModuleType):
    content = tables.csv_of([{"id": "a", "info": {"label": "甲"}}, {"id": "乙"}], [[1, "x,y"]])
    assert content.decode("utf-8-sig").splitlines() == ["甲,乙", '1,"x,y"']


def test_the_mapping_lists_only_data_sets_that_are_there(datasets: list[dict[str, Any]]):
    document = yaml.safe_load((ROOT / "config" / "sources" / "huidong" / "portal.yaml").read_text("utf-8"))
    mapping = load_mapping(document["mapping"], Place("portal.yaml"))
    assert set(mapping.datasets) <= {one["name"] for one in datasets}
    linked = {one["name"] for one in datasets if one.get("resources")}
    assert linked <= set(mapping.datasets), "an entry without a table needs its items listed"


def test_the_ini_belongs_to_its_owner_and_holds_what_the_environment_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    serve = load("serve")
    for variable in serve.OPTIONS.values():
        monkeypatch.setenv(variable, f"p%word-{variable}")
    path = serve.write_ini(tmp_path, "http://127.0.0.1:7")
    text = path.read_text("utf-8")
    assert path.stat().st_mode & 0o077 == 0
    assert "SECRET_KEY = p%%word-SITE_SECRET" in text
    assert "ckan.site_url = http://127.0.0.1:7" in text
