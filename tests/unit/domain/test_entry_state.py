"""States of an entry: the whole table of steps, and what CKAN keeps."""

from __future__ import annotations

from itertools import product

import pytest

from ckanext.openhuizhou.domain.entry_state import EntryState, ckan_state, may_move
from ckanext.openhuizhou.schemas.code_lists import code_list

DRAFT, PUBLISHED, WITHDRAWN = EntryState.DRAFT, EntryState.PUBLISHED, EntryState.WITHDRAWN


def test_states_are_those_of_the_code_list():
    assert list(code_list("entry_states").codes) == [str(state) for state in EntryState]


@pytest.mark.parametrize(("before", "after"), list(product(EntryState, EntryState)))
def test_only_publishing_withdrawing_and_publishing_again_are_steps(before: EntryState, after: EntryState):
    steps = {(DRAFT, PUBLISHED), (PUBLISHED, WITHDRAWN), (WITHDRAWN, PUBLISHED)}
    assert may_move(before, after, publisher=True) == ((before, after) in steps or before == after)


@pytest.mark.parametrize(("before", "after"), list(product(EntryState, EntryState)))
def test_a_department_takes_no_step(before: EntryState, after: EntryState):
    assert may_move(before, after, publisher=False) == (before == after)


@pytest.mark.parametrize(
    ("state", "open_type"), list(product(EntryState, ["unconditional", "conditional", "none", None, "?"]))
)
def test_only_what_is_published_and_open_is_public(state: EntryState, open_type: str | None):
    derived = ckan_state(state, open_type)
    assert derived.private == (not (state == PUBLISHED and open_type in {"unconditional", "conditional"}))
    assert derived.state == ("draft" if state == DRAFT else "active")
