"""CKAN's flags and the dates that go with an entry's state."""

from __future__ import annotations

from datetime import date

import pytest

from ckanext.openhuizhou.domain.derived import derive, derive_application
from ckanext.openhuizhou.domain.entry_state import EntryState

TODAY = date(2018, 3, 5)


class TestEntry:
    @pytest.mark.parametrize(
        ("state", "open_type", "flags"),
        [
            (EntryState.DRAFT, "unconditional", ("draft", True)),
            (EntryState.PUBLISHED, "unconditional", ("active", False)),
            (EntryState.PUBLISHED, "conditional", ("active", False)),
            (EntryState.PUBLISHED, "none", ("active", True)),
            (EntryState.PUBLISHED, None, ("active", True)),
            (EntryState.WITHDRAWN, "unconditional", ("active", True)),
        ],
    )
    def test_only_what_is_published_and_open_is_public(self, state: EntryState, open_type: str, flags: tuple):
        derived = derive(state, open_type, {}, TODAY)
        assert (derived.state, derived.private) == flags

    def test_the_first_publication_dates_it_and_no_later_one(self):
        assert derive(EntryState.PUBLISHED, "none", {}, TODAY).fields["issued"] == "2018-03-05"
        assert derive(EntryState.PUBLISHED, "none", {"issued": "2017-01-01"}, TODAY).fields["issued"] == "2017-01-01"
        assert derive(EntryState.DRAFT, "none", {}, TODAY).fields["issued"] is None

    def test_a_withdrawal_is_dated_once_and_keeps_its_reason(self):
        fields = derive(EntryState.WITHDRAWN, "none", {"withdrawn_on": "2018-02-01"}, TODAY).fields
        assert fields["withdrawn_on"] == "2018-02-01"
        assert "withdraw_reason" not in fields
        assert derive(EntryState.WITHDRAWN, "none", {}, TODAY).fields["withdrawn_on"] == "2018-03-05"

    def test_whatever_comes_back_is_withdrawn_no_more(self):
        stored = {"withdrawn_on": "2018-02-01", "withdraw_reason": "x", "issued": "2017-01-01"}
        fields = derive(EntryState.PUBLISHED, "none", stored, TODAY).fields
        assert fields == {
            "entry_state": "published",
            "issued": "2017-01-01",
            "withdrawn_on": None,
            "withdraw_reason": None,
        }


class TestApplication:
    def test_it_is_never_private_and_a_draft_until_it_is_published(self):
        flags = [derive_application(state, {}, TODAY) for state in (EntryState.PUBLISHED, EntryState.WITHDRAWN)]
        assert [(derived.state, derived.private) for derived in flags] == [("active", False), ("draft", False)]
