"""Whatever is killed in the middle of runs, catalogue and sources are the same in the end. The long version, of a
hundred rounds: ``python -m tests.chaos``."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.portal import portal
from tests.chaos.rounds import Chaos

#: Each server once, while a table is read, and with it what does the work.
ROUNDS = (("postgres", "the worker's child"), ("valkey", "worker"), ("solr", "scheduler"))


def test_catalogue_and_sources_are_the_same_after_kills(tmp_path: Path):
    with portal(tmp_path / "chaos", lambda _text: None) as own:
        chaos = Chaos(own, seed=2018, size=8)
        try:
            chaos.start()
            rounds = [chaos.round(number, killed) for number, killed in enumerate(ROUNDS, 1)]
        finally:
            chaos.stop()
    assert [(done.in_the_middle, done.wrong) for done in rounds] == [(True, [])] * len(ROUNDS)
