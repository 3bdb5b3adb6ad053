"""Processes are found again by more than their number, and stopped with all they forked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.stack import process as processes
from ckanext.openhuizhou.stack.layout import Layout
from ckanext.openhuizhou.stack.process import (
    Part,
    PidFile,
    bound_log,
    log_tail,
    marked_processes,
    process_at,
    wait_until,
)
from ckanext.openhuizhou.stack.supervisor import Supervisor

# parts outlive the command that started them: that is their purpose
pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")

# says "ready" by making a file, then waits for its end
SERVE = "import pathlib, signal; pathlib.Path('ready').touch(); signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SERVE
# a child in a session of its own, as RQ and PostgreSQL fork them
FORK = (
    "import os, pathlib, signal\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    pathlib.Path('written').write_text(str(os.getpid()))\n"
    "    pathlib.Path('written').rename('child')\n"
    "    signal.pause()\n"
    "pathlib.Path('ready').touch()\n"
    "signal.pause()\n"
)


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    layout = Layout(tmp_path, tmp_path / "data", 5000)
    layout.create()
    yield layout
    processes.stop_processes(marked_processes(layout.data), signal.SIGKILL, 5)


@pytest.fixture
def supervisor(layout: Layout) -> Supervisor:
    return Supervisor(layout, lambda _: None)


@pytest.fixture
def make_part(layout: Layout) -> Callable[..., Part]:
    def make(code: str, name: str = "part", **more) -> Part:
        more.setdefault("healthy", (layout.data / "ready").exists)
        return Part(name, [sys.executable, "-c", code], cwd=layout.data, start_seconds=10, stop_seconds=5, **more)

    return make


class TestProcessAt:
    def test_finds_the_process_that_was_recorded(self):
        own = psutil.Process()
        assert process_at(own.pid, own.create_time()) == own

    def test_a_recycled_number_is_nobody(self):
        own = psutil.Process()
        assert process_at(own.pid, own.create_time() - 3600) is None

    def test_a_zombie_is_nobody(self):
        child = subprocess.Popen([sys.executable, "-c", ""])
        created = psutil.Process(child.pid).create_time()
        assert wait_until(lambda: process_at(child.pid, created) is None, 10)
        child.wait()


class TestPidFile:
    def test_tells_the_process_and_what_started_it(self, tmp_path: Path):
        file = PidFile(tmp_path, "web")
        file.write(psutil.Process(), "print")
        assert file.read() == (psutil.Process(), "print")

    @pytest.mark.parametrize("content", ["", "4711", '{"pid": "x"}', '{"pid": 1}'])
    def test_a_damaged_file_is_nobody(self, tmp_path: Path, content: str):
        file = PidFile(tmp_path, "web")
        file.path.write_text(content)
        assert file.read()[0] is None


class TestSupervisor:
    def test_waits_until_a_part_serves_and_leaves_it_alone_then(self, supervisor: Supervisor, make_part):
        part = make_part(SERVE)
        supervisor.ensure(part)
        first = supervisor.running("part")
        assert part.healthy()
        supervisor.ensure(part)
        assert supervisor.running("part") == first

    def test_restarts_a_part_that_would_be_started_differently(self, supervisor: Supervisor, make_part):
        supervisor.ensure(make_part(SERVE))
        first = supervisor.running("part")
        supervisor.ensure(make_part(SERVE, environment={"SETTING": "other"}))
        assert supervisor.running("part") not in (None, first)

    def test_starts_a_killed_part_anew(self, supervisor: Supervisor, make_part):
        part = make_part(SERVE)
        supervisor.ensure(part)
        first = supervisor.running("part")
        assert first is not None
        first.kill()
        assert wait_until(lambda: not processes.lives(first), 10)
        supervisor.ensure(part)
        assert supervisor.running("part") not in (None, first)

    def test_stops_children_that_outlived_a_killed_parent(self, supervisor: Supervisor, layout: Layout, make_part):
        part = make_part(FORK, healthy=(layout.data / "child").exists)
        supervisor.ensure(part)
        parent = supervisor.running("part")
        assert parent is not None
        child = psutil.Process(int((layout.data / "child").read_text()))
        parent.kill()
        assert processes.lives(child)
        assert supervisor.stop("part")
        assert not processes.lives(child)

    def test_a_process_that_does_not_listen_is_killed(self, supervisor: Supervisor, make_part):
        part = make_part(DEAF)
        supervisor.ensure(part)
        first = supervisor.running("part")
        assert first is not None
        processes.stop_processes([first], signal.SIGTERM, 0.2)
        assert not processes.lives(first)

    def test_never_touches_a_process_that_took_over_the_number(self, supervisor: Supervisor, layout: Layout):
        stranger = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        record = f'{{"pid": {stranger.pid}, "created": 1.0, "fingerprint": ""}}'
        (layout.run / "part.json").write_text(record)
        assert not supervisor.stop("part")
        assert stranger.poll() is None
        stranger.kill()
        stranger.wait()

    def test_a_part_that_ends_at_once_shows_what_it_said(self, supervisor: Supervisor, make_part):
        with pytest.raises(StackError, match=r"ended with status 3[\s\S]*no such table"):
            supervisor.ensure(make_part("import sys; print('no such table'); sys.exit(3)"))
        assert supervisor.running("part") is None

    def test_a_part_that_never_serves_is_stopped_when_time_is_up(self, supervisor: Supervisor, layout: Layout):
        code = "import signal; print('still loading', flush=True); signal.pause()"
        part = Part("part", [sys.executable, "-c", code], healthy=lambda: False, start_seconds=1)
        with pytest.raises(StackError, match=r"did not serve within 1 s[\s\S]*still loading"):
            supervisor.ensure(part)
        assert marked_processes(layout.data) == []

    def test_a_part_that_says_that_it_cannot_work_is_not_waited_for(self, supervisor: Supervisor, make_part):
        def refuse() -> bool:
            raise StackError("the core is not loadable")

        with pytest.raises(StackError, match="cannot work: the core is not loadable"):
            supervisor.ensure(make_part(SERVE, healthy=refuse))

    def test_two_stacks_do_not_see_each_other(self, supervisor: Supervisor, make_part, tmp_path: Path):
        other = Layout(tmp_path, tmp_path / "data2", 5001)
        other.create()
        supervisor.ensure(make_part(SERVE))
        assert not Supervisor(other, lambda _: None).stop("part")
        assert marked_processes(other.data) == []
        assert supervisor.running("part") is not None


class TestLogs:
    def test_the_tail_is_the_end_of_the_file(self, tmp_path: Path):
        path = tmp_path / "x.log"
        path.write_text("".join(f"line {number}\n" for number in range(100)))
        assert log_tail(path, 2) == "line 98\nline 99"

    def test_bytes_that_are_no_text_are_shown(self, tmp_path: Path):
        path = tmp_path / "x.log"
        path.write_bytes(b"\xff\xfe broken\n")
        assert log_tail(path).endswith("broken")

    def test_a_missing_log_has_no_tail(self, tmp_path: Path):
        assert log_tail(tmp_path / "none.log") == ""

    def test_a_long_log_is_moved_away_and_its_writer_goes_on(self, tmp_path: Path):
        path = tmp_path / "x.log"
        with path.open("ab", buffering=0) as writer:
            writer.write(b"a" * 90 + b"b" * 20)
            bound_log(path, limit=100)
            writer.write(b"c")
        assert path.read_bytes() == b"c"
        assert (tmp_path / "x.log.1").read_bytes() == b"a" * 80 + b"b" * 20

    def test_a_short_log_stays(self, tmp_path: Path):
        path = tmp_path / "x.log"
        path.write_bytes(b"a" * 100)
        bound_log(path, limit=100)
        assert path.stat().st_size == 100


def test_waiting_ends_early_when_it_is_hopeless():
    assert not wait_until(lambda: False, 3600, still_possible=lambda: False)


def test_our_own_process_is_never_among_the_marked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(processes.MARK, processes.mark_of(tmp_path, "part"))
    assert os.getpid() not in {process.pid for process in marked_processes(tmp_path)}
