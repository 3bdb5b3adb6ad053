"""What a stack keeps between two starts."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.stack.layout import SECRET_NAMES, Layout, Secrets, State, read_json


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestLayout:
    def test_two_variables_tell_stacks_apart(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
        monkeypatch.setenv("OPENHUIZHOU_DATA", str(tmp_path / "one"))
        monkeypatch.setenv("OPENHUIZHOU_PORT", "5999")
        layout = Layout.from_environment()
        assert layout.data == tmp_path / "one"
        assert layout.web_port == 5999

    def test_without_variables_it_is_var_and_5000(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("OPENHUIZHOU_DATA", raising=False)
        monkeypatch.delenv("OPENHUIZHOU_PORT", raising=False)
        layout = Layout.from_environment()
        assert layout.data == layout.project / "var"
        assert layout.web_port == 5000
        assert (layout.project / "config" / "ckan.ini").is_file()

    @pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "50 00"])
    def test_refuses_what_is_no_port(self, monkeypatch: pytest.MonkeyPatch, port: str):
        monkeypatch.setenv("OPENHUIZHOU_PORT", port)
        with pytest.raises(StackError, match="not a port number"):
            Layout.from_environment()

    def test_two_commands_never_change_one_stack_at_once(self, tmp_path: Path):
        layout = Layout(tmp_path, tmp_path / "data", 5000)
        # the message says whom to wait for
        holder = rf"another command.*\(process {os.getpid()}\)"
        with layout.locked(), pytest.raises(StackError, match=holder), layout.locked():
            pass
        with layout.locked():
            assert layout.run.is_dir()

    def test_only_the_owner_enters_the_folders_also_those_that_an_older_stack_left_open(self, tmp_path: Path):
        layout = Layout(tmp_path, tmp_path / "data", 5000)
        for _ in range(2):
            layout.create()
            folders = [layout.run, layout.logs, layout.storage, layout.departments, layout.valkey, layout.solr]
            assert {mode(folder) for folder in folders} == {0o700}
            layout.logs.chmod(0o755)

    def test_nobody_else_lists_the_data_folder(self, tmp_path: Path):
        layout = Layout(tmp_path, tmp_path / "data", 5000)
        layout.create()
        assert mode(layout.data) & 0o066 == 0


class TestReadJson:
    def test_a_missing_file_is_empty(self, tmp_path: Path):
        assert read_json(tmp_path / "none") == {}

    @pytest.mark.parametrize("content", ["", "[]", '{"cut": '])
    def test_a_damaged_file_is_named(self, tmp_path: Path, content: str):
        path = tmp_path / "state.json"
        path.write_text(content)
        with pytest.raises(StackError, match=r"state\.json"):
            read_json(path)


class TestState:
    def test_remembers_ports_and_steps(self, tmp_path: Path):
        path = tmp_path / "state.json"
        state = State(path)
        state.keep_port("solr", 4711)
        state.mark_done("migrate", "a")
        again = State(path)
        assert again.port("solr") == 4711
        assert again.done("migrate", "a")

    def test_a_step_is_done_again_for_another_input(self, tmp_path: Path):
        state = State(tmp_path / "state.json")
        state.mark_done("migrate", "a")
        assert not state.done("migrate", "b")
        assert not state.done("seed", "a")

    def test_a_new_database_forgets_steps_and_keeps_ports(self, tmp_path: Path):
        state = State(tmp_path / "state.json")
        state.keep_port("solr", 4711)
        state.mark_done("migrate", "a")
        state.forget_steps()
        again = State(tmp_path / "state.json")
        assert not again.done("migrate", "a")
        assert again.port("solr") == 4711


class TestSecrets:
    def test_are_made_once_and_differ(self, tmp_path: Path):
        path = tmp_path / "secrets.json"
        first = Secrets(path)
        values = {first[name] for name in SECRET_NAMES}
        assert len(values) == len(SECRET_NAMES)
        assert all(len(value) >= 32 for value in values)
        again = Secrets(path)
        assert {again[name] for name in SECRET_NAMES} == values
        assert mode(path) == 0o600

    def test_a_new_name_gets_a_secret_that_stays(self, tmp_path: Path):
        path = tmp_path / "secrets.json"
        token = Secrets(path)["department_x_token"]
        assert Secrets(path)["department_x_token"] == token
        assert json.loads(path.read_text())["department_x_token"] == token
