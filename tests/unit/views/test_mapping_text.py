"""A mapping loses its order in the database; the editor shows it as people write it, and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ckanext.openhuizhou.views.mapping_text import mapping_text, plain_yaml

SOURCES = sorted((Path(__file__).parents[3] / "config" / "sources").glob("*/*.yaml"))


def stored(mapping: dict[str, Any]) -> dict[str, Any]:
    """As PostgreSQL gives it back: keys in an order of its own."""
    return json.loads(json.dumps(mapping, sort_keys=True))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_mapping_of_the_city_survives(path: Path) -> None:
    mapping = yaml.safe_load(path.read_text("utf-8")).get("mapping") or {}
    assert yaml.safe_load(mapping_text(stored(mapping)) or "{}") == mapping


def test_parts_fields_and_rules_stand_in_the_order_of_people() -> None:
    mapping = {
        "datasets": {"b": {"skip": True}, "a": {"items": [{"from": "zdmc", "name": "站点", "column": "station"}]}},
        "items": {"column": {"from": "name"}, "from": "columns", "name": {"from": "label"}},
        "fields": {
            "theme": {"const": "environment"},
            "title": {"default": "无", "codes": {"甲": "A"}, "from": "名称"},
        },
    }
    text = mapping_text(stored(mapping))
    words = ("fields:", "title:", "from: 名称", "codes:", "default:", "theme:", "items:", "datasets:", "a:", "b:")
    places = [text.index(word) for word in words]
    assert places == sorted(places)
    assert text.index("name: 站点") < text.index("column: station") < text.index("from: zdmc")


def test_a_rule_stands_on_one_line_and_a_text_of_several_lines_too() -> None:
    text = mapping_text({"fields": {"notes": {"template": "{摘要}\n\n{说明}"}, "title": {"from": "名称"}}})
    assert '    template: "{摘要}\\n\\n{说明}"\n' in text
    assert "  title: {from: 名称}\n" in text


def test_what_is_no_mapping_is_shown_as_it_is() -> None:
    odd = {"fields": ["title"], "items": "columns", "datasets": {"a": None}}
    assert yaml.safe_load(mapping_text(odd)) == odd


def test_nothing_is_no_text() -> None:
    assert plain_yaml({}) == mapping_text({}) == ""
