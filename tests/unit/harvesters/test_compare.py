from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.harvesters.compare import digest, plain, record_hash

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.dates()
    | st.datetimes()
    | st.decimals(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


class TestDigest:
    @given(values)
    def test_every_value_has_one_and_the_same_each_time(self, value: object):
        assert digest(value) == digest(value)
        assert len(digest(value)) == 64

    @given(st.dictionaries(st.text(max_size=5), st.integers(-9, 9), min_size=2, max_size=6))
    def test_the_order_of_keys_does_not_matter(self, value: dict[str, int]):
        assert digest(value) == digest(dict(reversed(list(value.items()))))

    def test_what_differs_to_a_reader_differs(self):
        seen = [digest(value) for value in ("1", 1, True, None, [1], {"1": 1}, "１", "1 ", 1.5)]
        assert len(set(seen)) == len(seen)

    def test_numbers_that_json_cannot_hold_stay_apart(self):
        assert digest(2**60) != digest(2**60 + 1)
        assert plain(Decimal("1.10")) == "1.10"
        assert plain(float("nan")) == "nan"

    def test_dates_are_text(self):
        assert plain({"d": dt.date(2018, 3, 1), "t": (dt.time(8),)}) == {"d": "2018-03-01", "t": ["08:00:00"]}

    def test_half_a_character_can_be_hashed(self):
        assert digest("\ud800") != digest("\ud801")


class TestRecordHash:
    def test_entry_mapping_and_rows_all_count(self):
        base = record_hash({"title": "甲"}, "m1", "d1")
        assert base == record_hash({"title": "甲"}, "m1", "d1")
        others = {
            record_hash({"title": "乙"}, "m1", "d1"),
            record_hash({"title": "甲"}, "m2", "d1"),
            record_hash({"title": "甲"}, "m1", "d2"),
            record_hash({"title": "甲"}, "m1", None),
        }
        assert len(others) == 4
        assert base not in others
