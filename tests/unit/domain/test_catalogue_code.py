"""Resource codes and the names made of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.catalogue_code import CatalogueCode, application_name

CODES = st.builds(CatalogueCode, st.from_regex(r"\A[1-3][0-9]{5,8}\Z"), st.integers(1, 10**9))


@given(CODES)
def test_a_code_is_read_as_it_was_written(code: CatalogueCode):
    assert CatalogueCode.parse(str(code)) == code


@given(CODES)
def test_a_name_is_one_that_ckan_takes(code: CatalogueCode):
    assert re.fullmatch(r"[a-z0-9_-]{2,100}", code.dataset_name)
    assert code.dataset_name == str(code).replace("/", "-")


@given(CODES, CODES)
def test_two_codes_never_share_a_name(one: CatalogueCode, other: CatalogueCode):
    assert (one == other) == (one.dataset_name == other.dataset_name)


@pytest.mark.parametrize(
    "text", ["", "211001", "211001/", "/1", "211001/0", "211001/01", "4110011/1", "21100/1", "211001/１", "211001/1\n"]
)
def test_anything_else_is_no_code(text: str):
    with pytest.raises(ValueError, match="^" + re.escape(text)):
        CatalogueCode.parse(text)


def test_an_application_is_named_outside_the_tree():
    assert application_name(7) == "app-7"
