"""What a job keeps of what was found."""

from __future__ import annotations

from ckanext.openhuizhou.data.job_lease import KEPT_FINDINGS, listed
from ckanext.openhuizhou.domain.findings import Finding


class TestListed:
    def test_errors_come_first_then_rows_then_the_whole(self):
        found = [
            Finding("table-empty"),
            Finding("row-count", params={"count": 1, "expected": 2}),
            Finding("cell-type", row=9, column="甲", value="x", params={"data_type": "integer"}),
            Finding("cell-type", row=2, column="甲", value="x", params={"data_type": "integer"}),
        ]
        assert [(one["kind"], one["row"]) for one in listed(found)] == [
            ("cell-type", 2),
            ("cell-type", 9),
            ("row-count", None),
            ("table-empty", None),
        ]

    def test_what_is_left_out_is_counted(self):
        found = [Finding("cell-type", row=row, column="甲", value="x") for row in range(1, KEPT_FINDINGS + 8)]
        kept = listed(found)
        assert len(kept) == KEPT_FINDINGS + 1
        assert (kept[-1]["kind"], kept[-1]["params"]) == ("findings-more", {"count": 7})
