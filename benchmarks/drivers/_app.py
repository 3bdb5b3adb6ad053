"""What each driver starts with: CKAN's application of ``$CKAN_INI``, as a command of CKAN has it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


def answer(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
