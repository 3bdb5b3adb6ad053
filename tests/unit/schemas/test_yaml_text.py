from __future__ import annotations

import datetime as dt

import pytest

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas.yaml_text import LARGEST, plain_json, read_yaml_text

LAUGHS = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


class TestReadYamlText:
    def test_is_what_json_would_keep(self):
        assert read_yaml_text("一: 2024-03-01\n1: [yes, 1.5, null]\nno: x") == {
            "一": "2024-03-01",
            "1": [True, 1.5, None],
            "false": "x",
        }

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("a: 1\nb: c: d", 2),
            (LAUGHS, 2),
            ("a:\n  " + "[" * 40 + "]" * 40, 2),
            ("a: !!python/object/apply:os.system [ls]", 1),
            ("a: [1", 2),
            ("a: b\x07", None),
            ("x" * (LARGEST + 1), None),
            ("a: !!binary aGk=", None),
            ("a: .nan", None),
            ('a: "\\0"', None),
            ('a: "\\ud800"', 1),
            ("a: " + "9" * 5000, None),
            ("? [a, b]\n: c", 1),
        ],
    )
    def test_what_cannot_be_kept_is_refused_with_its_line(self, text: str, line: int | None):
        with pytest.raises(ConfigurationError) as caught:
            read_yaml_text(text)
        assert caught.value.params["line"] == line
        assert str(caught.value)

    def test_the_largest_text_is_read(self):
        text = "a: " + "x" * (LARGEST - 3)
        assert len(read_yaml_text(text)["a"]) == LARGEST - 3


class TestPlainJson:
    def test_keeps_what_json_says(self):
        assert plain_json({"a": [1, {"b": None}], "c": dt.date(2024, 3, 1)}) == {
            "a": [1, {"b": None}],
            "c": "2024-03-01",
        }

    @pytest.mark.parametrize("value", [{"a": b"x"}, {"a": {1, 2}}, {"a": float("inf")}, "\x00", {"\ud800": 1}])
    def test_refuses_the_rest(self, value: object):
        with pytest.raises(ConfigurationError):
            plain_json(value)
