"""Start one demo department: ``serve.py NAME --data FOLDER [--host --port]``.

The HTTP systems keep running; 市民政局 is a drop folder, so there the command ends when the folder is filled.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
import time
from pathlib import Path

from common.datasets import SEED, Department
from common.server import run
from common.store import generate_once

SYSTEMS = ("huanbaoju", "anjianju", "minzhengju", "jiaotongju")
log = logging.getLogger("department")


def main() -> None:
    """Generate the data unless they are there, then serve them if this department has a server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=SYSTEMS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", default=SEED)
    parser.add_argument("--generate-only", action="store_true", help="fill the folder, serve nothing")
    arguments = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=f"%(asctime)s {arguments.name} %(message)s")

    system = importlib.import_module(f"{arguments.name}.system")
    department = Department(arguments.name, arguments.seed)
    started = time.monotonic()
    filled = generate_once(arguments.data, department.fingerprint(), lambda folder: system.build(department, folder))
    log.info("%s in %.1f s: %s", "generated" if filled else "reused", time.monotonic() - started, arguments.data)
    if hasattr(system, "application") and not arguments.generate_only:
        run(system.application(department, arguments.data), arguments.host, arguments.port)


if __name__ == "__main__":
    main()
