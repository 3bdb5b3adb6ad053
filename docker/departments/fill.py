"""Fill the front database of 市人力资源和社会保障局: ``fill.py [--dsn DSN]``.

The DSN holds a password: give it in ``DEPARTMENT_DSN`` where others can see the command line.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time

from common.datasets import SEED, Department
from rensheju.system import fill

log = logging.getLogger("department")


def main() -> None:
    """Create and fill schema qzk unless it already holds these data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", default=os.environ.get("DEPARTMENT_DSN"))
    parser.add_argument("--seed", default=SEED)
    arguments = parser.parse_args()
    if not arguments.dsn:
        parser.error("give the database in --dsn or DEPARTMENT_DSN")
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s rensheju %(message)s")
    started = time.monotonic()
    filled = fill(arguments.dsn, Department("rensheju", arguments.seed))
    log.info("%s in %.1f s", "filled" if filled else "reused", time.monotonic() - started)


if __name__ == "__main__":
    main()
