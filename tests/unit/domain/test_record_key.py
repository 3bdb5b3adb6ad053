from __future__ import annotations

import pytest

from ckanext.openhuizhou.domain.findings import KINDS
from ckanext.openhuizhou.domain.record_key import LONGEST, check_key


class TestCheckKey:
    @pytest.mark.parametrize(
        "key",
        ["D-1", "1", "007", "441300-2018", "空气质量", "无障碍设施", "10", "a" * LONGEST, "urn:x/1?y=2", "{3F2504E0}"],
    )
    def test_takes_what_tells_records_apart(self, key: str):
        assert check_key(key, 1) is None

    @pytest.mark.parametrize(
        "key",
        [
            "TODO",
            "todo ",
            "ＴＯＤＯ",
            "无",
            "暂无",
            "null",
            "NULL",
            "None",
            "-",
            "——",
            "N/A",
            "n/a",
            "０",
            "0",
            "000",
            "？",
            "/",
        ],
    )
    def test_a_placeholder_is_no_key(self, key: str):
        found = check_key(key, 7)
        assert found is not None
        assert (found.kind, found.params["number"]) == ("key-placeholder", 7)

    @pytest.mark.parametrize("key", ["", " ", "\u3000"])
    def test_nothing_is_no_key(self, key: str):
        found = check_key(key, 7)
        assert found is not None
        assert (found.kind, found.params) == ("key-missing", {"number": 7})

    @pytest.mark.parametrize("key", ["a" * (LONGEST + 1), "D-1\x00", "D\ud800", "a\x1bb"])
    def test_what_the_database_cannot_hold_is_no_key(self, key: str):
        found = check_key(key, 7)
        assert found is not None
        assert found.kind == "key-unfit"
        assert found.value
        found.value.encode()
        assert "\x00" not in found.value
        assert len(KINDS[found.kind].mend.format(**found.params)) > 0
