"""The list of demo departments."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from ckanext.openhuizhou.errors import ConfigurationError, StackError
from ckanext.openhuizhou.stack import departments
from ckanext.openhuizhou.stack.departments import Department
from ckanext.openhuizhou.stack.layout import Layout, project_root

SERVICE = Department(
    name="x",
    organization="x",
    title="演示",
    mode="service",
    command=["{python}", "serve.py", "--host", "{host}", "--port", "{port}", "--data", "{data}"],
    environment={"DEPARTMENT_TOKEN": "{token}"},
    health="/health",
    variables={"url": {"value": "http://{host}:{port}"}, "token": {"value": "{token}", "secret": True}},
)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(project_root(), tmp_path / "data", 5000)
    layout.create()
    return layout


class TestLoad:
    def test_the_committed_file_lists_six_departments_and_a_county(self):
        names = {one.organization for one in departments.load(project_root())}
        assert names == {"huanbaoju", "anjianju", "rensheju", "minzhengju", "jiaotongju", "lvyouju", "huidong"}

    def test_no_secret_stands_in_a_command(self):
        for one in departments.load(project_root()):
            assert "{token}" not in " ".join(one.command), one.name
            assert "{dsn}" not in " ".join(one.command), one.name
            assert "{secret}" not in " ".join(one.command), one.name

    def test_without_a_file_there_are_none(self, tmp_path: Path):
        assert departments.load(tmp_path) == []

    @pytest.mark.parametrize(
        "content",
        [
            "departments: [{name: x}]",
            "departments: [{name: x, organization: x, title: x, mode: service, command: [], colour: red}]",
            "systems: []",
            "departments: [{name: x, organization: x, title: x, mode: sometimes, command: []}]",
            "departments: [{name: x, organization: x, title: x, mode: service, command: []}]",
        ],
    )
    def test_a_wrong_file_is_refused(self, tmp_path: Path, content: str):
        path = tmp_path / departments.FILE
        path.parent.mkdir(parents=True)
        path.write_text(content)
        with pytest.raises(ConfigurationError):
            departments.load(tmp_path)


class TestFill:
    def test_fills_in_address_folder_and_secrets(self, layout: Layout):
        filled = departments.fill(SERVICE, layout, port=7, token="t0ken", dsn="")
        assert filled.command[2:] == ["--host", "127.0.0.1", "--port", "7", "--data", str(layout.departments / "x")]
        assert filled.environment == {"DEPARTMENT_TOKEN": "t0ken"}
        assert filled.variables == {"url": "http://127.0.0.1:7", "token": "t0ken"}

    def test_fills_in_what_a_site_of_its_own_has(self, layout: Layout):
        site = Department(
            "x", "x", "x", "service", ["serve.py"], {"SITE_SOLR": "{solr}"}, health="/", site={"redis": 1}
        )
        filled = departments.fill(site, layout, port=7, token="", dsn="", site={"solr": "http://127.0.0.1:8/solr/x"})
        assert filled.environment == {"SITE_SOLR": "http://127.0.0.1:8/solr/x"}

    def test_refuses_a_secret_in_a_command(self, layout: Layout):
        loud = Department("x", "x", "x", "once", ["fill.py", "--token", "{token}"])
        with pytest.raises(ConfigurationError, match="unknown placeholder"):
            departments.fill(loud, layout, port=None, token="t0ken", dsn="")


def test_variables_are_readable_by_their_owner_only(layout: Layout):
    departments.write_variables(layout, [departments.fill(SERVICE, layout, port=7, token="t0ken", dsn="")])
    assert json.loads(layout.source_variables.read_text()) == {"x.token": "t0ken", "x.url": "http://127.0.0.1:7"}
    assert stat.S_IMODE(layout.source_variables.stat().st_mode) == 0o600


def test_a_fill_that_fails_shows_what_it_said(layout: Layout):
    code = "import sys; print('no space'); sys.exit(1)"
    failing = departments.fill(
        Department("x", "x", "x", "once", ["{python}", "-c", code]), layout, port=None, token="", dsn=""
    )
    with pytest.raises(StackError, match=r"ended with status 1[\s\S]*no space"):
        departments.finish_once(failing, departments.start_once(failing, layout), layout)
