"""People find in Chinese what they look for: labelled queries against a real Solr."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import yaml
from ckan.lib.search import SearchError, rebuild

from ckanext.openhuizhou.model import load

QUERIES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("queries.yaml").read_text(encoding="utf-8"))


def search(q: str, **params: Any) -> dict[str, Any]:
    return tk.get_action("package_search")({"user": ""}, {"q": q, "rows": 100, **params})


def text_of(query: dict[str, Any], catalogue: Any) -> str:
    return catalogue.datasets[query["code_of"]]["catalogue_code"] if "code_of" in query else query["q"]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.get("q") or f"code of {query['code_of']}")
def test_labelled_query(query: dict[str, Any], catalogue: Any) -> None:
    found = catalogue.keys(search(text_of(query, catalogue)))
    assert not set(query["find"]) - set(found[:10])
    assert not set(query.get("not", [])) & set(found)
    if "first" in query:
        assert found[0] in query["first"]
    if not query["find"]:
        assert found == []


def test_hits_and_empty_answers_over_all_queries(catalogue: Any) -> None:
    wanted = hits = empty = 0
    for query in (query for query in QUERIES if query["find"]):
        found = catalogue.keys(search(text_of(query, catalogue)))
        wanted += len(query["find"])
        hits += len(set(query["find"]) & set(found[:10]))
        empty += not found
    assert empty / len(QUERIES) <= 0.02
    assert hits / wanted >= 0.95


class TestFields:
    def test_facets_and_filters_hold_keys(self, catalogue: Any) -> None:
        found = search("", **{"fq": "theme:transport", "facet.field": ["organization", "update_cycle"]})
        assert found["count"] == 5
        assert found["facets"]["organization"] == {"jiaotongju": 5}
        assert found["facets"]["update_cycle"] == {"yearly": 5}

    def test_titles_sort_by_pinyin(self, catalogue: Any) -> None:
        found = search("", fq="organization:anjianju", sort="title_string asc")
        assert catalogue.keys(found) == ["inspections", "accidents", "hazchem", "fireworks"]

    def test_publication_dates_are_dates(self, catalogue: Any) -> None:
        # the city's day begins eight hours before that of UTC, in which Solr counts
        assert search("", fq="issued:[NOW-2DAYS TO NOW+8HOURS]")["count"] == len(catalogue.datasets)

    def test_data_is_not_ok_before_it_was_loaded(self, catalogue: Any) -> None:
        assert search("", fq="openhuizhou_data_ok:true")["count"] == 0
        assert search("", fq="openhuizhou_data_ok:false")["count"] == len(catalogue.datasets)


class TestDataOk:
    """What the targets count follows the last load of the entry's tables."""

    @pytest.fixture
    def entry(self, catalogue: Any) -> dict[str, Any]:
        return catalogue.datasets["water"]

    def count(self, entry: dict[str, Any]) -> int:
        rebuild(entry["id"])
        return search("", fq=f"openhuizhou_data_ok:true id:{entry['id']}")["count"]

    def test_read_then_failed_then_forgotten(self, entry: dict[str, Any]) -> None:
        load.record_ok(load.Published("table-1", entry["id"], 1200, "digest", 10, []))
        assert self.count(entry) == 1
        assert search("", fq=f"row_count:1200 id:{entry['id']}")["count"] == 1
        load.record_ok(load.Published("table-2", entry["id"], 5, "digest", 10, []))
        load.record_failed("table-2", entry["id"], [])
        assert self.count(entry) == 0
        load.forget("table-2")
        assert self.count(entry) == 1
        load.forget("table-1")
        assert self.count(entry) == 0


class TestSyntax:
    """A program may use Solr's language; its mistakes stay CKAN's error."""

    def test_a_field_is_searched(self, catalogue: Any) -> None:
        assert catalogue.keys(search("title:养老 AND organization:minzhengju")) == ["nursing-homes"]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("公墓 OR 噪声监测", {"graves", "noise"}),
            ("公交 -线路", {"bus-stops"}),
            ("公交 AND 公墓", set()),
        ],
    )
    def test_operators_need_no_field(self, catalogue: Any, query: str, expected: set[str]) -> None:
        assert set(catalogue.keys(search(query))) == expected

    def test_malformed_syntax_is_ckans_error(self, catalogue: Any) -> None:
        with pytest.raises(SearchError):
            search("title:(养老 AND")


def test_an_entry_with_five_hundred_items_is_found_by_its_last_column(catalogue: Any) -> None:
    items = [f"指标{n}" for n in range(499)] + ["末尾的独特列"]
    made = catalogue.add(
        "wide",
        title="宽表",
        org="huanbaoju",
        theme="environment",
        category="211001",
        notes="五百个信息项。",
        items=items,
    )
    found = search("末尾的独特列")
    assert [result["id"] for result in found["results"]] == [made["id"]]
    assert len(found["results"][0]["items"]) == 500
