from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ckan import model
from sqlalchemy import select

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.harvesters.seed import seed_sources
from ckanext.openhuizhou.model.harvest import Source


@pytest.fixture
def folder(department: Any, tmp_path: Path) -> Path:
    write(tmp_path, department)
    return tmp_path


def write(folder: Path, department: Any, **changes: Any) -> None:
    name = department.organization["name"]
    source = {
        "name": f"{name}-drop",
        "title": "演示目录",
        "organization": name,
        "kind": "csv",
        "config": {"url": "${x.path}"},
        "schedule": "0 3 * * *",
    }
    document = {"source": source | changes, "mapping": {"fields": {"title": {"from": "名称"}}}}
    (folder / "drop.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")


def stored(department: Any) -> Source:
    name = f"{department.organization['name']}-drop"
    return model.Session.scalars(select(Source).where(Source.name == name)).one()


class TestSeedSources:
    def test_a_file_becomes_a_row_once(self, department: Any, folder: Path):
        assert len(seed_sources(folder).added) == 1
        report = seed_sources(folder)
        assert (report.added, report.changed, report.unchanged) == ([], [], 1)
        assert stored(department).config == {"url": "${x.path}"}
        assert not stored(department).approved

    def test_a_changed_file_is_taken_over_while_nobody_edited_the_row(self, department: Any, folder: Path):
        seed_sources(folder)
        write(folder, department, title="新的名称")
        assert len(seed_sources(folder).changed) == 1
        assert stored(department).title == "新的名称"

    def test_an_edited_row_is_told_and_never_overwritten(self, department: Any, folder: Path):
        seed_sources(folder)
        stored(department).title = "在门户里改过"
        model.Session.commit()
        write(folder, department, title="新的名称", priority=5)
        report = seed_sources(folder)
        assert report.differing == [f"{department.organization['name']}-drop: title, priority"]
        assert "title, priority" in str(report)
        assert (stored(department).title, stored(department).priority) == ("在门户里改过", 100)

    @pytest.mark.parametrize(
        ("changes", "place"),
        [
            ({"organization": "nobody"}, "source.organization"),
            ({"kind": "ftp"}, "source.kind"),
            ({"schedule": "at three"}, "source.schedule"),
            ({"config": {"path": "x"}}, "source.config.path"),
            ({"title": ""}, "title"),
        ],
    )
    def test_a_wrong_file_changes_nothing_and_is_named(
        self, department: Any, folder: Path, changes: dict[str, Any], place: str
    ):
        write(folder, department, **changes)
        with pytest.raises(ConfigurationError, match=r"drop\.yaml") as error:
            seed_sources(folder)
        model.Session.rollback()
        assert place in str(error.value)

    def test_a_file_that_is_no_yaml_is_named_with_its_line(self, folder: Path):
        (folder / "drop.yaml").write_text("source: {name: [\n", "utf-8")
        with pytest.raises(ConfigurationError, match="line"):
            seed_sources(folder)
