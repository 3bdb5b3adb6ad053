"""Tables of other projects' tests, through our loader; see docs/other-projects-tables.md for what comes of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.integration.data import other_tables

SPECTRUM = other_tables.files("csv-spectrum")


class TestOtherTables:
    @pytest.mark.parametrize("path", SPECTRUM, ids=lambda path: path.stem)
    def test_csv_spectrum_reads_as_its_own_answers_say(self, path: Path):
        found = other_tables.outcome(path)
        assert found.rows is not None, found.refused
        answers = json.loads(path.with_suffix(".json").read_text("utf-8"))
        # an empty cell and a missing one are both nothing here, and blanks around a text are not part of it
        expected = [[str(row[name]).strip() or None for name in row] for row in answers]
        assert [list(row) for row in found.rows] == expected
        assert list(found.names) == list(answers[0])

    def test_the_page_says_what_comes_of_every_file(self):
        assert other_tables.PAGE.read_text("utf-8") == other_tables.rendered()
