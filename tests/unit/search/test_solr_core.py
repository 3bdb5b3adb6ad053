"""Our Solr core has what the installed CKAN expects of its own."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ckanext.openhuizhou.search.queries import FILTERS, QUERY_FIELDS, SORTS

CORE = Path(__file__).parents[3] / "config" / "solr" / "openhuizhou" / "conf"
OURS = ElementTree.parse(CORE / "schema.xml").getroot()


@pytest.fixture(scope="module")
def ckans() -> ElementTree.Element:
    spec = importlib.util.find_spec("ckan")
    assert spec is not None
    assert spec.origin is not None
    return ElementTree.parse(Path(spec.origin).parent / "config" / "solr" / "schema.xml").getroot()


def names(schema: ElementTree.Element, tag: str) -> set[str]:
    return {element.attrib["name"] for element in schema.iter(tag)}


def fields(schema: ElementTree.Element) -> set[str]:
    return names(schema, "field")


class TestSchema:
    def test_name_is_the_one_that_ckan_checks(self, ckans: ElementTree.Element) -> None:
        assert OURS.attrib["name"] == ckans.attrib["name"]

    @pytest.mark.parametrize("tag", ["field", "dynamicField"])
    def test_no_field_of_ckan_is_missing(self, ckans: ElementTree.Element, tag: str) -> None:
        assert names(ckans, tag) - names(OURS, tag) == set()

    def test_key_is_ckans(self, ckans: ElementTree.Element) -> None:
        assert OURS.findtext("uniqueKey") == ckans.findtext("uniqueKey")

    def test_each_field_has_a_type(self) -> None:
        types = names(OURS, "fieldType") | names(OURS, "fieldtype")
        elements = [*OURS.iter("field"), *OURS.iter("dynamicField")]
        assert {element.attrib["type"] for element in elements} - types == set()

    def test_files_that_analysis_reads_are_there(self) -> None:
        wanted = {
            element.attrib[key] for element in OURS.iter() for key in ("mapping", "words") if key in element.attrib
        }
        assert wanted
        assert [name for name in wanted if not (CORE / name).is_file()] == []

    def test_what_searches_look_into_exists(self) -> None:
        searched = {field.split("^")[0] for field in QUERY_FIELDS.split()}
        assert searched - fields(OURS) == set()
        sorted_by = set(SORTS.values()) - {"score"}
        assert sorted_by - fields(OURS) == set()

    def test_filters_of_pages_exist_or_are_plain_strings(self) -> None:
        """``owner_org`` is in the index as CKAN's catch-all string."""
        assert FILTERS - fields(OURS) == {"owner_org"}


def test_each_traditional_character_has_one_simplified() -> None:
    lines = (CORE / "mapping-t2s.txt").read_text(encoding="utf-8").splitlines()
    pairs = [re.fullmatch(r'"(.)" => "(.)"', line) for line in lines if not line.startswith("#")]
    assert all(pairs)
    sources = [pair[1] for pair in pairs if pair]
    assert len(sources) == len(set(sources)) > 4_000
