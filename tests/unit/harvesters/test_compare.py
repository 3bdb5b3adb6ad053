from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.harvesters.compare import digest, payload_digest, plain, record_hash
from ckanext.openhuizhou.harvesters.records import Link, SourceRecord

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
    def test_entry_and_links_count(self):
        link = Link("http://a.example/1.csv")
        base = record_hash({"title": "甲"}, (link,), made_by="1")
        assert base == record_hash({"title": "甲"}, (Link("http://a.example/1.csv"),), made_by="1")
        others = {
            record_hash({"title": "乙"}, (link,), made_by="1"),
            record_hash({"title": "甲"}, (), made_by="1"),
            record_hash({"title": "甲"}, (Link(link.url, name="一月"),), made_by="1"),
            record_hash({"title": "甲"}, (link,), made_by="2"),
        }
        assert len(others) == 4
        assert base not in others


def of(payload: object, **values: object) -> str:
    return payload_digest(SourceRecord("D-1", payload={"值": payload}, **values), with_modified=False)


def reordered(value: object) -> object:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(list(value))}
    return [reordered(member) for member in value] if isinstance(value, list) else value


odd_keys = st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None), max_size=5) | st.dates()
odd_values = st.recursive(
    values | st.binary(max_size=4) | st.sets(st.integers(), max_size=3) | st.times() | st.integers(2**63, 2**90),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd_keys, inner, max_size=4),
    max_leaves=12,
)


class TestPayloadDigest:
    @given(odd_values)
    def test_every_value_has_one_and_the_order_of_keys_does_not_matter(self, value: object):
        assert of(value) == of(reordered(value))

    @given(odd_values, odd_values)
    def test_what_json_tells_apart_differs(self, one: object, other: object):
        if digest(one) != digest(other):
            assert of(one) != of(other)

    def test_types_are_told_apart(self):
        day = dt.date(2018, 3, 1)
        moment = dt.datetime(2018, 3, 1)  # noqa: DTZ001 - databases give such
        different = [
            None, True, False, 0, 1, 1.0, "1", "1.0", Decimal("1"), Decimal("1.0"), "", [], {}, [None], {"1": None},
            {1: None}, "None", "null", float("nan"), float("inf"), -0.0, 0.0, day, "2018-03-01", moment,
            "2018-03-01T00:00:00", b"1", {1}, 2**70, str(2**70), "\ud800", "\\ud800",
        ]  # fmt: skip
        seen = {}
        for value in different:
            assert of(value) not in seen, (value, seen.get(of(value)))
            seen[of(value)] = value

    def test_a_payload_deeper_than_a_stack_has_a_digest(self):
        deep: list[object] = []
        for _level in range(100_000):
            deep = [deep]
        assert len(of(deep)) == 64

    def test_links_and_the_state_of_the_rows_count(self):
        link = Link("http://a.example/1.csv")
        digests = {of(1), of(1, links=(link,)), of(1, links=(Link(link.url, size=5),)), of(1, data_digest="d1")}
        assert len(digests) == 4
        assert of(2**70, links=(link,)) != of(2**70)

    def test_the_time_of_change_counts_only_when_a_mapping_reads_it(self):
        then, now = SourceRecord("D-1", modified="2018-03-01"), SourceRecord("D-1", modified="2018-03-02")
        assert payload_digest(then, with_modified=False) == payload_digest(now, with_modified=False)
        assert payload_digest(then, with_modified=True) != payload_digest(now, with_modified=True)
