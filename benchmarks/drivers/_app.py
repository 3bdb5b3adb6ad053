"""What each driver starts with: CKAN's application of ``$CKAN_INI``, as a command of CKAN has it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ckan.cli import CKANConfigLoader
from ckan.config.middleware import make_app


@contextmanager
def application() -> Iterator[None]:
    app = make_app(CKANConfigLoader(os.environ["CKAN_INI"]).get_config())
    with app._wsgi_app.test_request_context():
        yield


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of wall time, and the answer."""
    started = time.perf_counter()
    answer = work()
    return time.perf_counter() - started, answer


class Memory:
    """How far resident memory rises above what it is now, at its peak."""

    def __init__(self) -> None:
        # 5: the kernel forgets the peak of before
        Path("/proc/self/clear_refs").write_text("5")
        self._idle = self._kibibytes("VmRSS")

    def grown(self) -> float:
        """Mebibytes."""
        return round((self._kibibytes("VmHWM") - self._idle) / 1024, 1)

    @staticmethod
    def _kibibytes(name: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def answer(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
