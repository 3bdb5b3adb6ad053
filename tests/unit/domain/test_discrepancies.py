"""A report counts everything and keeps some."""

from __future__ import annotations

import pytest

from ckanext.openhuizhou.domain.discrepancies import CLEAN, KEPT, KINDS, LEFT, REPAIRED, Discrepancy, Report


def missing(number: int = 1, *, done: bool = True) -> Discrepancy:
    return Discrepancy("document-missing", f"entry-{number}", "", done)


class TestReport:
    def test_nothing_found_is_clean_also_when_dry(self):
        assert Report(dry=False).status == Report(dry=True).status == CLEAN

    def test_what_was_repaired_and_what_is_left_end_differently(self):
        report = Report(dry=False)
        report.add([missing()])
        assert report.status == REPAIRED
        report.add([missing(2, done=False)])
        assert report.status == LEFT
        assert report.as_dict()["left"] == {"document-missing": 1}

    def test_a_dry_comparison_leaves_what_it_finds(self):
        report = Report(dry=True)
        report.add([missing()])
        assert report.status == LEFT

    def test_all_are_counted_and_as_many_of_each_kind_kept_as_a_person_reads(self):
        report = Report(dry=False)
        report.add(missing(number) for number in range(KEPT * 50))
        report.add([Discrepancy("file-orphan", "x", "", done=True)])
        assert report.counts == {"document-missing": KEPT * 50, "file-orphan": 1}
        assert len(report.found) == KEPT + 1

    def test_each_is_told_with_its_sentences(self):
        [told] = [one.as_dict() for one in [missing()]]
        assert told["message"] == KINDS["document-missing"].message
        assert told["repair"]


class TestKinds:
    def test_stand_in_alphabetical_order(self):
        assert list(KINDS) == sorted(KINDS)

    @pytest.mark.parametrize("kind", KINDS)
    def test_say_what_is_wrong_and_what_is_done(self, kind: str):
        assert KINDS[kind].message.strip(". ") == KINDS[kind].message
        assert KINDS[kind].repair.strip(". ") == KINDS[kind].repair
