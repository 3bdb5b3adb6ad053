"""The table of who sees what, read aloud, and what must hold for every row."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain import visibility as v
from ckanext.openhuizhou.domain.entry_state import EntryState
from ckanext.openhuizhou.domain.items import Item

OWN, OTHER = "org-own", "org-other"
VIEWERS = {
    "visitor": v.labels_of_viewer((), ()),
    "other department": v.labels_of_viewer([OTHER], ()),
    "own department": v.labels_of_viewer([OWN], ()),
    "platform officer": v.labels_of_viewer((), ["platform_officer"]),
    "auditor": v.labels_of_viewer((), ["auditor"]),
}
EVERYBODY = set(VIEWERS)
GOVERNMENT = EVERYBODY - {"visitor"}
CHECKERS = {"own department", "platform officer"}

#: state, open type, share type: who sees metadata, who sees data
TABLE = [
    ("published", "unconditional", "unconditional", EVERYBODY, EVERYBODY),
    ("published", "unconditional", "none", EVERYBODY, EVERYBODY),
    ("published", "conditional", "unconditional", EVERYBODY, GOVERNMENT),
    ("published", "conditional", "conditional", EVERYBODY, CHECKERS),
    ("published", "conditional", "none", EVERYBODY, {"own department"}),
    ("published", "none", "unconditional", GOVERNMENT, GOVERNMENT),
    ("published", "none", "conditional", GOVERNMENT, CHECKERS),
    ("published", "none", "none", GOVERNMENT, {"own department"}),
    ("draft", "unconditional", "unconditional", CHECKERS, CHECKERS),
    ("in_review", "conditional", "unconditional", CHECKERS, CHECKERS),
    ("returned", "none", "unconditional", CHECKERS, CHECKERS),
    ("withdrawn", "unconditional", "unconditional", CHECKERS, CHECKERS),
    ("withdrawn", "none", "none", CHECKERS, {"own department"}),
    ("", "", "", CHECKERS, {"own department"}),
    ("published", "公开", "unconditional", GOVERNMENT, GOVERNMENT),
]


def readers(labels: list[str]) -> set[str]:
    return {name for name, own in VIEWERS.items() if set(own) & set(labels)}


@pytest.mark.parametrize(("state", "open_type", "share_type", "metadata", "data"), TABLE)
def test_who_sees_what(state, open_type, share_type, metadata, data):
    assert readers(v.labels_of_entry(state, open_type, share_type, OWN)) == metadata
    assert readers(v.labels_of_data(state, open_type, share_type, OWN)) == data


ROWS = list(itertools.product([str(state) for state in EntryState], v.OPENNESS, v.OPENNESS))


@pytest.mark.parametrize(("state", "open_type", "share_type"), ROWS)
class TestEveryRow:
    def test_the_own_department_sees_everything_of_its_own(self, state, open_type, share_type):
        assert "own department" in readers(v.labels_of_data(state, open_type, share_type, OWN))

    def test_nobody_sees_data_of_an_entry_that_he_does_not_see(self, state, open_type, share_type):
        data = readers(v.labels_of_data(state, open_type, share_type, OWN))
        assert data <= readers(v.labels_of_entry(state, open_type, share_type, OWN))

    def test_visitors_see_only_what_is_published_and_open(self, state, open_type, share_type):
        sees = "visitor" in readers(v.labels_of_entry(state, open_type, share_type, OWN))
        assert sees == (state == "published" and open_type != "none")

    def test_a_narrower_open_type_never_adds_a_reader(self, state, open_type, share_type):
        for wider in v.OPENNESS[: v.OPENNESS.index(open_type)]:
            for labels in (v.labels_of_entry, v.labels_of_data):
                assert readers(labels(state, open_type, share_type, OWN)) <= readers(
                    labels(state, wider, share_type, OWN)
                )


@given(st.text(), st.text(), st.text(), st.text())
def test_unknown_codes_open_nothing(state, open_type, share_type, owner):
    labels = v.labels_of_data(state, open_type, share_type, owner)
    assert v.may_see_data(state, open_type, share_type, owner, VIEWERS["visitor"]) == ("public" in labels)
    assert ("public" in labels) == (state == "published" and open_type == "unconditional")


def test_an_entry_without_owner_has_no_department():
    assert v.labels_of_data("published", "none", "none", "") == []


ITEMS = [
    Item("名称", "name", "string"),
    Item("等级", "level", "string", open_type="unconditional", share_type="unconditional"),
    Item("联系人", "contact", "string", open_type="conditional"),
    Item("原因", "reason", "string", share_type="none"),
    Item("新", "new", "string", open_type="以后再说"),
]


@pytest.mark.parametrize(
    ("entry", "columns"),
    [
        ({"open_type": "unconditional", "share_type": "unconditional"}, ["name", "level"]),
        ({"open_type": "conditional", "share_type": "unconditional"}, ["name", "level", "contact"]),
        ({"open_type": "none", "share_type": "none"}, ["name", "level", "contact", "reason", "new"]),
    ],
)
def test_columns_narrower_than_the_entry_are_not_published(entry, columns):
    assert [item.column for item in v.public_items(entry, ITEMS)] == columns
    as_dicts = [{"column": i.column, "open_type": i.open_type, "share_type": i.share_type} for i in ITEMS]
    assert [item["column"] for item in v.public_items(entry, as_dicts)] == columns
