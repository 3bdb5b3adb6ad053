"""Solr's jars come as the lock names them."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.stack import jars
from ckanext.openhuizhou.stack.jars import LockedJar
from ckanext.openhuizhou.stack.layout import project_root

LOCK = project_root() / "config" / "solr" / "jars.lock"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Maven's local repository with two jars, so that nothing is fetched; and no way to fetch more."""
    folder = tmp_path / "m2"
    monkeypatch.setenv("M2_REPO", str(folder))
    for name in ("org/example/one/1.0/one-1.0.jar", "org/eclipse/jetty/jetty-runner/10.0.26/jetty-runner-10.0.26.jar"):
        path = folder / name
        path.parent.mkdir(parents=True)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("name", name)
    return folder


def lock_of(repository: Path, tmp_path: Path) -> Path:
    lines = []
    for path in sorted(repository.rglob("*.jar")):
        *group, artifact, version, _ = path.relative_to(repository).parts
        lines.append(f"{'.'.join(group)}:{artifact}:{version} {hashlib.sha256(path.read_bytes()).hexdigest()}")
    lock = tmp_path / "jars.lock"
    lock.write_text("# a comment\n" + "\n".join(lines) + "\n")
    return lock


class TestLock:
    def test_the_committed_lock_holds_solr_its_analysers_and_the_runner(self):
        locked = jars.read_lock(LOCK)
        names = {f"{jar.group}:{jar.artifact}:{jar.version}" for jar in locked}
        assert {jars.SOLR, *jars.LUCENE, jars.JETTY_RUNNER} <= names
        assert len(names) > 100

    def test_names_no_address(self):
        assert "//" not in LOCK.read_text(encoding="utf-8")

    def test_a_line_reads_as_it_is_written(self):
        line = "io.netty:netty-transport:4.1:linux-x86_64 " + "a" * 64
        jar = LockedJar.parse(line)
        assert str(jar) == line
        assert jar.filename == "netty-transport-4.1-linux-x86_64.jar"

    @pytest.mark.parametrize("line", ["a:b:c", "a:b " + "a" * 64, "a:b:c " + "a" * 63, "a:b:c " + "A" * 64])
    def test_refuses_a_line_without_name_or_digest(self, line: str):
        with pytest.raises(StackError, match="not a line of a jar lock"):
            LockedJar.parse(line)


class TestPrepare:
    def test_lays_out_the_web_application(self, repository: Path, tmp_path: Path):
        program = jars.prepare(lock_of(repository, tmp_path), tmp_path / "cache", lambda _: None)
        assert program.runner.is_file()
        assert [path.name for path in (program.webapp / "WEB-INF" / "lib").iterdir()] == ["one-1.0.jar"]
        assert "CoreContainerProvider" in (program.webapp / "WEB-INF" / "web.xml").read_text()

    def test_a_second_stack_fetches_nothing(self, repository: Path, tmp_path: Path):
        lock = lock_of(repository, tmp_path)
        first = jars.prepare(lock, tmp_path / "cache", lambda _: None)
        said: list[str] = []
        assert jars.prepare(lock, tmp_path / "cache", said.append) == first
        assert said == []

    def test_a_changed_jar_is_refused_and_nothing_is_laid_out(self, repository: Path, tmp_path: Path, monkeypatch):
        lock = lock_of(repository, tmp_path)
        jar = next(repository.rglob("one-1.0.jar"))
        jar.write_bytes(jar.read_bytes() + b"more")
        # what was damaged is fetched anew; here there is nowhere to fetch from
        monkeypatch.setattr("jgo.maven._core.DEFAULT_REMOTE_REPOS", {})
        with pytest.raises(StackError, match=r"cannot fetch org\.example:one:1\.0"):
            jars.prepare(lock, tmp_path / "cache", lambda _: None)
        assert not jar.exists()
        assert [path.name for path in (tmp_path / "cache").iterdir() if not path.name.startswith(".")] == ["lock"]
