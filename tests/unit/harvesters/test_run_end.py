"""Who is told of which run."""

from __future__ import annotations

import pytest

from ckanext.openhuizhou.harvesters.run_end import worth_telling
from ckanext.openhuizhou.model.harvest import COUNTERS

QUIET = dict.fromkeys(COUNTERS, 0) | {"unchanged": 7}


class TestWorthTelling:
    @pytest.mark.parametrize("notify", ["always", "change", "error"])
    @pytest.mark.parametrize("state", ["failed", "held"])
    def test_whoever_wants_mail_hears_of_a_failed_or_a_held_run(self, notify: str, state: str):
        assert worth_telling(notify, state, QUIET)

    @pytest.mark.parametrize(
        ("notify", "told"),
        [
            ("always", {"added", "changed", "withdrawn", "refused", "failed", "nothing"}),
            ("change", {"added", "changed", "withdrawn"}),
            ("error", {"refused", "failed"}),
            ("never", set()),
        ],
    )
    def test_a_run_that_is_done(self, notify: str, told: set[str]):
        happened = {name: QUIET | {name: 1} for name in COUNTERS if name != "unchanged"} | {"nothing": QUIET}
        assert {name for name, counters in happened.items() if worth_telling(notify, "done", counters)} == told

    def test_never_is_never(self):
        assert not worth_telling("never", "failed", QUIET | {"failed": 1})
