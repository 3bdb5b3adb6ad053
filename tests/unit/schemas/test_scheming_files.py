"""The scheming files agree with the rules and the code lists."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from ckanext.openhuizhou import schemas
from ckanext.openhuizhou.domain import entry_rules, item_rules
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.schemas import code_lists
from ckanext.openhuizhou.schemas.fields import field_labels

FOLDER = Path(schemas.__file__).parent
CORE = set(
    """
    title name notes owner_org category catalogue_code entry_state theme tag_string open_type
    open_condition share_type share_condition share_way format_class update_cycle issued related_codes
    items region time_range spatial_range industry contact_name contact_phone contact_email version
    data_level secret source_system registration_code license_id data_modified row_count demo
    """.split()  # noqa: SIM905 - a list of words reads better than a wall of quotes
)


def _fields(type_: str) -> list[dict[str, Any]]:
    content = yaml.safe_load((FOLDER / f"{type_}.yaml").read_text("utf-8"))
    return content.get("dataset_fields") or content["fields"]


DATASET = {field["field_name"]: field for field in _fields("dataset")}
ITEM = {field["field_name"]: field for field in DATASET["items"]["repeating_subfields"]}


def test_an_entry_has_every_field_of_the_guide_and_those_beyond_it():
    assert set(DATASET) >= CORE


def test_an_item_has_the_fields_that_the_program_knows():
    assert set(ITEM) == {field.name for field in fields(Item)}


def test_a_star_marks_what_publication_asks_for():
    starred = {name for name, field in DATASET.items() if field.get("required")}
    assert starred == set(entry_rules.REQUIRED)
    assert {name for name, field in ITEM.items() if field.get("required")} == set(item_rules.REQUIRED)


@pytest.mark.parametrize(
    ("known", "rules"), [(DATASET, entry_rules.CODED), (ITEM, item_rules.CODED)], ids=["entry", "item"]
)
def test_a_coded_field_is_checked_against_the_list_that_its_form_shows(
    known: dict[str, dict[str, Any]], rules: dict[str, str]
):
    for name, list_name in rules.items():
        assert known[name]["code_list"] == list_name


@pytest.mark.parametrize("type_", ["dataset", "application", "organization"])
def test_every_field_has_both_labels_and_a_known_list(type_: str):
    assert field_labels(type_)
    for field in _fields(type_):
        for each in (field, *field.get("repeating_subfields", ())):
            assert "code_list" not in each or each["code_list"] in code_lists()
            assert "help_text" not in each or set(each["help_text"]) == {"en", "zh_Hans_CN"}


def test_what_the_platform_assigns_is_not_in_the_form():
    for name in (
        "name",
        "catalogue_code",
        "entry_state",
        "issued",
        "withdrawn_on",
        "data_modified",
        "row_count",
        "demo",
    ):
        assert DATASET[name]["form_snippet"] is None
