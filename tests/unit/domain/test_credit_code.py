"""Unified social credit codes and those made up for demonstration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.credit_code import demo_credit_code, is_credit_code, is_demo_credit_code

REGIONS = st.from_regex(r"\A[0-9]{6}\Z")
NODES = st.from_regex(r"\A3[0-9]{2}\Z")


@given(REGIONS, NODES)
def test_a_made_up_code_passes_the_check_and_says_that_it_is_made_up(region: str, node: str):
    code = demo_credit_code(region, node)
    assert is_credit_code(code)
    assert code[8:12] == "DEM0"
    assert is_demo_credit_code(code)
    assert code == demo_credit_code(region, node)


def test_a_real_one_is_no_made_up_one():
    # the example of GB 32100-2015
    assert is_credit_code("91350100M000100Y43")
    assert not is_demo_credit_code("91350100M000100Y43")


@given(REGIONS, NODES, NODES)
def test_two_departments_have_two_codes(region: str, one: str, other: str):
    assert (one == other) == (demo_credit_code(region, one) == demo_credit_code(region, other))


@given(NODES, st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_one_wrong_character_is_noticed(node: str, place: int, letter: str):
    code = demo_credit_code("441300", node)
    if letter != code[place]:
        assert not is_credit_code(code[:place] + letter + code[place + 1 :])


@pytest.mark.parametrize("code", ["", "91441300", "11441300DEM003004Q", "１１441300DEM003004P"])
def test_what_is_no_code_is_refused(code: str):
    assert not is_credit_code(code)


@pytest.mark.parametrize(("region", "node"), [("44130", "301"), ("441300", "30"), ("惠州市的代码", "301")])
def test_a_region_or_node_of_the_wrong_form_is_an_error(region: str, node: str):
    with pytest.raises(ValueError, match=node):
        demo_credit_code(region, node)
