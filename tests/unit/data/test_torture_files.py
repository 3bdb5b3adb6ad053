"""The torture set itself: it is what its script makes, and every file says what it is for."""

from __future__ import annotations

from tests.data.tables import expected, make

from ckanext.openhuizhou.domain.findings import KINDS


class TestTortureSet:
    def test_files_and_page_are_as_their_script_makes_them(self):
        assert make.differences() == []

    def test_every_file_says_what_it_is_for_and_what_comes_of_it(self):
        cases = expected.cases()
        assert {case.file for case in cases} == {path.name for path in make.FOLDER.iterdir()}
        for case in cases:
            assert len(case.why) > 3, case.file
            told = case.rows is not None or case.count or case.refused
            assert told, case.file

    def test_expected_findings_are_kinds_that_there_are(self):
        named = {kind for case in expected.cases() for kind in case.refused | case.findings}
        assert named <= KINDS.keys()

    def test_expected_rows_are_as_wide_as_their_items(self):
        for case in expected.cases():
            for row in [*(case.rows or []), *([case.first] if case.first else []), *([case.last] if case.last else [])]:
                assert len(row) == len(case.items), case.file
