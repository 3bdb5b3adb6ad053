"""``python -m tests.chaos [--rounds 100] [--seed 1]``: rounds of chaos on a portal of its own in ``var/chaos``.

Prints a line for each round and ends with status 1 when one of them left the catalogue different from its sources.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from dataclasses import asdict

from tests.chaos.portal import portal
from tests.chaos.rounds import Chaos

from ckanext.openhuizhou.stack.layout import project_root


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = project_root() / "var" / "chaos"
    # while one is killed the other takes over
    os.environ.setdefault("OPENHUIZHOU_WORKERS", "2")
    killed: Counter[str] = Counter()
    wrong = 0
    with portal(folder, lambda _text: None) as own:
        chaos = Chaos(own, arguments.seed)
        try:
            chaos.start()
            for number in range(1, arguments.rounds + 1):
                done = chaos.round(number)
                killed.update(done.killed)
                wrong += bool(done.wrong)
                say(json.dumps(asdict(done), ensure_ascii=False))
        finally:
            chaos.stop()
    say(f"{arguments.rounds} rounds, {wrong} of them wrong; killed: {dict(killed)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
