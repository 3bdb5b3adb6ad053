"""Rules of the house as tests, in the way of CKAN's ``test_coding_standards.py``.

What ruff, pyright and import-linter can say is theirs; here is the rest.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "ckanext-openhuizhou" / "ckanext" / "openhuizhou"

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
TEXT = {".cfg", ".conf", ".css", ".html", ".ini", ".js", ".json", ".md"}
TEXT |= {".po", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}

#: Written in two halves so that this file keeps its own rule.
REGISTRY_HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "npmjs" + ".org",
    "repo1.maven" + ".org",
    "maven.apache" + ".org",
    "deb.debian" + ".org",
    "proxy.golang" + ".org",
]
#: Folders of one developer's machine; a path inside a container is not one.
MACHINE_PATH = re.compile(r"(?<![\w.\-/}])/(?:work|root|home)/")


@cache
def tracked() -> tuple[Path, ...]:
    """Files that are, or with the next commit would be, in the repository; symlinks left out."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    paths = (ROOT / name for name in names if name)
    return tuple(path for path in paths if path.is_file() and not path.is_symlink())


def python_files() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py"]


def text_files() -> list[Path]:
    return [path for path in tracked() if path.suffix in TEXT or path.name in {"Makefile", "Dockerfile", "run"}]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


class TestSize:
    def test_files_are_short_enough_to_read_in_one_sitting(self):
        long = {
            name_of(path): lines
            for path in python_files()
            if (lines := path.read_text("utf-8").count("\n")) > MAX_FILE_LINES
        }
        assert not long

    def test_functions_do_one_job(self):
        long = [
            f"{name_of(path)}:{node.lineno} {node.name}"
            for path in python_files()
            for node in functions_of(path)
            if (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION_LINES
        ]
        assert not long


class TestTree:
    @pytest.mark.parametrize("name", ["harvesters", "schemas"])
    def test_the_packages_at_the_top_are_linked_into_the_extension(self, name: str):
        link = EXTENSION / name
        assert link.is_symlink()
        assert link.readlink().as_posix() == f"../../../{name}"

    def test_ckanext_stays_a_namespace(self):
        assert not (EXTENSION.parent / "__init__.py").exists()

    def test_no_registry_host_is_named(self):
        named = [
            f"{name_of(path)}: {host}"
            for path in text_files()
            for host in REGISTRY_HOSTS
            if host in path.read_text("utf-8")
        ]
        assert not named

    def test_no_path_of_a_developers_machine(self):
        paths = [
            f"{name_of(path)}:{number} {line.strip()[:100]}"
            for path in text_files()
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
            if MACHINE_PATH.search(line)
        ]
        assert not paths

    def test_no_secret_is_committed(self):
        names = {path.name for path in tracked()}
        assert not names & {"credentials.json", "source_variables.json", ".env"}
        keys = [name_of(p) for p in text_files() if "-----BEGIN " + "PRIVATE KEY" in p.read_text("utf-8")]
        assert not keys


class TestForms:
    def test_each_posting_form_of_ours_carries_the_csrf_input(self):
        without = []
        for path in tracked():
            if path.suffix != ".html":
                continue
            for form in re.findall(r"<form\b.*?</form>", path.read_text("utf-8"), re.DOTALL | re.IGNORECASE):
                opening = form[: form.index(">") + 1]
                if re.search(r"method=[\"']?post", opening, re.IGNORECASE) and "csrf_input()" not in form:
                    without.append(f"{name_of(path)}: {opening}")
        assert not without

    def test_nothing_untrusted_is_marked_safe_without_a_reason(self):
        bare = [
            f"{name_of(path)}:{number}"
            for path in tracked()
            if path.suffix == ".html"
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
            if re.search(r"\|\s*safe\b", line) and "{#" not in line
        ]
        assert not bare


class TestTests:
    def test_nothing_sleeps(self):
        sleeping = [
            f"{name_of(path)}:{node.lineno}"
            for path in python_files()
            if path.is_relative_to(ROOT / "tests")
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute) and node.attr in {"sleep", "wait_for_timeout"}
        ]
        assert not sleeping

    def test_the_real_part_is_used_instead_of_a_mock(self):
        mocking = [
            name_of(path)
            for path in python_files()
            if path.is_relative_to(ROOT / "tests")
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            and any("mock" in name for name in [getattr(node, "module", None) or "", *(a.name for a in node.names)])
        ]
        assert not mocking

    def test_each_test_file_is_where_one_of_the_runs_finds_it(self):
        runs = {"unit", "integration", "acceptance", "browser"}
        lost = [
            name_of(path)
            for path in python_files()
            if path.is_relative_to(ROOT / "tests")
            and path.name.startswith("test_")
            and path.relative_to(ROOT / "tests").parts[0] not in runs
        ]
        assert not lost
