"""Stops a stack. Works also when the programs that started it are gone or were changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from ckanext.openhuizhou.stack import postgres, process
from ckanext.openhuizhou.stack.layout import Layout
from ckanext.openhuizhou.stack.supervisor import Supervisor

# readers before what they read from; names that are not here come first
LAST = ("scheduler", "worker", "web", "solr", "valkey", "postgres")


def stop_all(layout: Layout, say: Callable[[str], None]) -> None:
    """Stop every part and whatever carries this stack's mark."""
    supervisor = Supervisor(layout, say)
    for name in sorted(supervisor.known(), key=lambda name: (LAST.index(name) + 1 if name in LAST else 0, name)):
        if supervisor.stop(name):
            say(f"stopped {name}")
    left = process.marked_processes(layout.data) + list(postgres.backends(postgres.cluster(layout)))
    if left:
        process.stop_processes(left, process.signal.SIGTERM, 10.0)
        say(f"stopped {len(left)} more processes")


def throw_away(layout: Layout) -> None:
    """Delete the data folder's content: databases, index, files, passwords, logs. Only of a stack that is stopped."""
    for path in layout.data.iterdir():
        if path == layout.run:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
