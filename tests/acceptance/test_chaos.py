"""Whatever is killed in the middle of runs, catalogue and sources are the same in the end. The long version, of a
hundred rounds: ``python -m tests.chaos``."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.portal import portal
from tests.chaos.rounds import Chaos

ROUNDS = 3


def test_catalogue_and_sources_are_the_same_after_kills(tmp_path: Path):
    with portal(tmp_path / "chaos", lambda _text: None) as own:
        chaos = Chaos(own, seed=2018, size=8)
        try:
            chaos.start()
            rounds = [chaos.round(number) for number in range(1, ROUNDS + 1)]
        finally:
            chaos.stop()
    assert [done.wrong for done in rounds] == [[]] * ROUNDS
    assert any(done.in_the_middle for done in rounds)
