"""The running portal through ckanapi alone, as a developer meets it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from ckanapi import NotAuthorized, RemoteCKAN

#: Six departments of the city, and a county by its own portal.
DEPARTMENTS = ("huanbaoju", "anjianju", "rensheju", "minzhengju", "jiaotongju", "lvyouju", "huidong")
LEAST_OPEN = 24


def is_chinese(text: str) -> bool:
    return any("一" <= letter <= "鿿" for letter in text)


class TestPackageSearch:
    def test_counts_at_least_24_open_datasets_from_everybody(self, anonymous: RemoteCKAN):
        found = anonymous.action.package_search(
            fq="dataset_type:dataset open_type:unconditional", rows=0, **{"facet.field": ["organization"]}
        )
        assert found["results"] == []
        assert found["count"] >= LEAST_OPEN
        by_department = {item["name"]: item["count"] for item in found["search_facets"]["organization"]["items"]}
        assert set(DEPARTMENTS) <= set(by_department)

    @pytest.mark.parametrize(
        ("words", "department", "in_title"),
        [("空气质量", "huanbaoju", "空气质量"), ("养老", "minzhengju", "养老"), ("交通運輸", "jiaotongju", "")],
    )
    def test_finds_the_right_datasets(self, anonymous: RemoteCKAN, words: str, department: str, in_title: str):
        found = anonymous.action.package_search(q=words, rows=5)["results"]
        assert found, words
        assert found[0]["organization"]["name"] == department
        assert in_title in found[0]["title"]

    def test_traditional_and_simplified_find_the_same(self, anonymous: RemoteCKAN):
        both = [anonymous.action.package_search(q=q, rows=0)["count"] for q in ("交通運輸", "交通运输")]
        assert both[0] == both[1] > 0

    def test_what_nobody_wrote_finds_nothing(self, anonymous: RemoteCKAN):
        assert anonymous.action.package_search(q="夔牛饕餮", rows=0)["count"] == 0


class TestPackageShow:
    def test_every_open_dataset_has_the_catalogues_core_fields(self, open_datasets: list[dict[str, Any]]):
        core = ["title", "notes", "category", "catalogue_code", "theme", "open_type", "share_type", "update_cycle"]
        lacking = {
            dataset["name"]: [field for field in [*core, "issued", "items"] if not dataset.get(field)]
            for dataset in open_datasets
        }
        assert not {name: fields for name, fields in lacking.items() if fields}

    def test_titles_are_chinese_and_names_come_from_codes(self, open_datasets: list[dict[str, Any]]):
        for dataset in open_datasets:
            assert is_chinese(dataset["title"])
            assert dataset["name"] == dataset["catalogue_code"].lower().replace("/", "-")

    def test_codes_are_unique(self, open_datasets: list[dict[str, Any]]):
        codes = Counter(dataset["catalogue_code"] for dataset in open_datasets)
        assert max(codes.values()) == 1

    def test_made_up_data_says_so(self, anonymous: RemoteCKAN, open_datasets: list[dict[str, Any]]):
        shown = anonymous.action.package_show(id=open_datasets[0]["name"])
        assert "demo" in shown


class TestDatastore:
    def test_every_open_dataset_answers_rows_under_chinese_labels(
        self, anonymous: RemoteCKAN, open_datasets: list[dict[str, Any]]
    ):
        for dataset in (d for d in open_datasets if d["open_type"] == "unconditional"):
            tables = [resource for resource in dataset["resources"] if resource.get("datastore_active")]
            if dataset["organization"]["name"] == "huidong" and not tables:
                # the county keeps these files itself; the entry points to them
                assert all("//huidong.example/" in link["url"] for link in dataset["resources"]), dataset["title"]
                assert dataset["resources"], dataset["title"]
                continue
            assert tables, dataset["title"]
            answer = anonymous.action.datastore_search(resource_id=tables[0]["id"], limit=3)
            assert answer["total"] > 0, dataset["title"]
            labels = [field["info"]["label"] for field in answer["fields"] if field["id"] != "_id"]
            assert any(is_chinese(label) for label in labels), dataset["title"]
            assert len(labels) == len(dataset["items"]), dataset["title"]

    @pytest.mark.parametrize("department", DEPARTMENTS)
    def test_rows_of_each_department_are_typed(self, anonymous: RemoteCKAN, department: str):
        found = anonymous.action.package_search(fq=f"organization:{department} open_type:unconditional", rows=100)
        types: set[str] = set()
        for dataset in found["results"]:
            for table in (r for r in dataset["resources"] if r.get("datastore_active")):
                answer = anonymous.action.datastore_search(resource_id=table["id"], limit=1)
                types |= {field["type"] for field in answer["fields"] if field["id"] != "_id"}
        assert "text" in types
        assert types & {"int8", "numeric"}
        assert types & {"date", "timestamptz"}

    def test_numbers_are_compared_as_numbers(self, anonymous: RemoteCKAN):
        found = anonymous.action.package_search(q="空气质量", fq="organization:huanbaoju", rows=10)["results"]
        dataset = next(d for d in found if any(item["column"] == "aqi" for item in d["items"]))
        table = next(r for r in dataset["resources"] if r.get("datastore_active"))
        answer = anonymous.action.datastore_search(resource_id=table["id"], sort="aqi desc", limit=50)
        values = [row["aqi"] for row in answer["records"] if row["aqi"] is not None]
        assert values == sorted(values, reverse=True)
        assert all(isinstance(value, int) for value in values)


class TestOurActions:
    def test_target_of_march_is_met_by_what_package_search_finds(self, anonymous: RemoteCKAN):
        target = anonymous.action.openhuizhou_target_show(id="datasets-march")
        assert target["met"] is True
        assert target["missing_departments"] == []
        found = anonymous.action.package_search(fq=target["fq"], rows=0, **{"facet.field": ["organization"]})
        assert target["count"] == found["count"] >= LEAST_OPEN
        searched = {item["name"]: item["count"] for item in found["search_facets"]["organization"]["items"]}
        assert {item["name"]: item["count"] for item in target["by_department"] if item["count"]} == searched

    def test_all_targets_are_listed(self, anonymous: RemoteCKAN):
        listed = {target["id"] for target in anonymous.action.openhuizhou_target_list()}
        assert listed == {"datasets-march", "datasets-december", "applications-december"}

    def test_23_themes_in_two_lists(self, anonymous: RemoteCKAN):
        lists = anonymous.action.openhuizhou_theme_list()
        assert [len(group["themes"]) for group in lists] == [11, 12]
        used = {theme["key"] for group in lists for theme in group["themes"] if theme["count"]}
        assert {"environment", "transport", "work-safety"} <= used

    def test_departments_carry_their_number_of_open_datasets(self, anonymous: RemoteCKAN):
        departments = {department["name"]: department for department in anonymous.action.openhuizhou_department_list()}
        assert all(departments[name]["count"] for name in DEPARTMENTS)

    def test_a_catalogue_code_leads_to_its_entry(self, anonymous: RemoteCKAN, open_datasets: list[dict[str, Any]]):
        code = open_datasets[0]["catalogue_code"]
        assert anonymous.action.openhuizhou_catalogue_code_show(code=code)["package_id"] == open_datasets[0]["id"]

    def test_an_officer_lists_the_runs_of_his_departments_sources(self, account: Callable[[str], RemoteCKAN]):
        runs = account("huanbaoju_officer").action.openhuizhou_harvest_run_list()
        assert runs["count"] >= 1
        assert {run["source"] for run in runs["results"]} == {"huanbaoju-data-service"}

    def test_a_visitor_lists_no_runs(self, anonymous: RemoteCKAN):
        with pytest.raises(NotAuthorized):
            anonymous.action.openhuizhou_harvest_run_list()
