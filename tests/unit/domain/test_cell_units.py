"""Units that a column declares, and digits that a spreadsheet has dropped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ckanext.openhuizhou.domain.cell_types import CONVERTERS
from ckanext.openhuizhou.domain.cell_units import converter_of, lost_digits, misfit

FITTING = [
    ("number", "%", "12.5%", "12.5"),
    ("number", "%", "12.5％", "12.5"),
    ("number", "％", "１２.５ %", "12.5"),
    ("number", "%", "12.5", "12.5"),
    ("number", "%", 0.125, "0.125"),
    ("number", "%", "-", None),
    ("currency", "万元", "3万元", "3"),
    ("currency", "万元", "1,234.5 万元", "1234.5"),
    ("currency", "元", "￥1,200.50元", "1200.50"),
    ("integer", "家", "15家", "15"),
    ("number", "μg/m³", "12.5μg/m³", "12.5"),
    ("currency", "元", "(1,234.50)", "-1234.50"),
    ("currency", "元", "（1,234.50）", "-1234.50"),
    ("number", "", "1.5e3", "1.5e3"),
    ("string", "%", "12.5%", "12.5%"),
    ("string", "", "0752", "0752"),
    ("integer", "", 2**62, str(2**62)),
    ("integer", "3", "13", "13"),
]
MISFITS = [
    ("number", "", "12.5%", "cell-unit"),
    ("currency", "万元", "3元", "cell-unit"),
    ("currency", "元", "3万元", "cell-unit"),
    ("currency", "万元", "12亿元", "cell-unit"),
    ("currency", "万元", "万元", "cell-type"),
    ("number", "%", "约12%", "cell-type"),
    ("number", "%", "12%%", "cell-unit"),
    ("string", "", "1.23E+17", "cell-digits-lost"),
    ("integer", "", "4.41302E+17", "cell-digits-lost"),
    ("string", "", 441302199001011234.0, "cell-digits-lost"),
    ("integer", "", 2.0**53, "cell-digits-lost"),
    ("date", "", "昨天", "cell-type"),
    ("number", "", "1,23,456", "cell-type"),
    ("integer", "", "1.5", "cell-type"),
    ("number", "", "3-5", "cell-type"),
]


@pytest.mark.parametrize(("data_type", "unit", "cell", "text"), FITTING)
def test_a_declared_unit_is_not_part_of_the_value(data_type, unit, cell, text):
    assert converter_of(data_type, unit)(cell) == text


@pytest.mark.parametrize(("data_type", "unit", "cell", "kind"), MISFITS)
def test_any_other_unit_and_any_lost_digit_is_refused(data_type, unit, cell, kind):
    with pytest.raises(ValueError, match=r".*"):
        converter_of(data_type, unit)(cell)
    assert misfit(data_type, cell) == kind


@pytest.mark.parametrize("text", ["1E5", "1.5E-17", "A1.23E+17", "1.23E+17号", "12E+17", "2.5e10"])
def test_what_no_spreadsheet_shortened_is_left_alone(text):
    assert not lost_digits(text)


@given(st.sampled_from(sorted(CONVERTERS)), st.text(max_size=20))
def test_without_a_unit_the_converter_is_that_of_the_type(data_type, text):
    def outcome(convert):
        try:
            return convert(text)
        except ValueError:
            return ValueError

    assert lost_digits(text) or outcome(converter_of(data_type)) == outcome(CONVERTERS[data_type])
