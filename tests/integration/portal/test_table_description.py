"""What describes a table: the page, the cards of its columns, and the files that programs read."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import urlsplit

import frictionless
import pytest
from csvw.metadata import CSVW
from lxml import html

from ckanext.openhuizhou.data import files, profile
from ckanext.openhuizhou.domain.csvw import MEDIA_TYPE
from ckanext.openhuizhou.domain.table_dictionary import HEADERS
from ckanext.openhuizhou.model import table_profile

from .conftest import AIR_ITEMS, EVIL


def resource_of(portal: Any, key: str = "air") -> dict[str, Any]:
    return portal.entries[key]["resources"][0]


def address(portal: Any, name: str, key: str = "air") -> str:
    return f"/dataset/{portal.entries[key]['name']}/resource/{resource_of(portal, key)['id']}/{name}"


def texts(page: Any, path: str) -> list[str]:
    return [" ".join(found.text_content().split()) for found in html.fromstring(page.body).xpath(path)]


@pytest.fixture
def profiled(portal: Any) -> Any:
    for key in ("air", "evil"):
        profile.derive(resource_of(portal, key)["id"])
    return portal


class TestPage:
    def test_columns_with_unit_key_and_examples(self, profiled: Any):
        page = profiled.page(address(profiled, "dictionary"))
        rows = texts(page, "//table[1]//tbody/tr[th and count(td) = 6]")
        assert rows[0].startswith("监测站 键 station 字符型 必填")
        assert "μg/m³" in rows[2]
        assert texts(page, "//h1") == [profiled.entries["air"]["title"]]

    def test_cards_have_a_picture_and_its_table(self, profiled: Any):
        page = profiled.page(f"/dataset/{profiled.entries['air']['name']}")
        document = html.fromstring(page.body)
        cards = document.xpath("//*[@id='profile']//li[contains(@class, 'oh-column')]")
        assert [card.xpath("string(h3/text()[1])").strip() for card in cards] == [item.name for item in AIR_ITEMS]
        picture = cards[2].xpath(".//*[local-name()='svg']")[0]
        assert picture.get("role") == "img"
        assert "细颗粒物" in picture.get("aria-label")
        bars = len(picture.xpath(".//*[local-name()='g']"))
        assert bars == len(cards[2].xpath(".//details//tbody/tr")) > 1

    def test_the_files_page_has_them_too(self, profiled: Any):
        page = profiled.page(address(profiled, "").rstrip("/"))
        assert len(html.fromstring(page.body).xpath("//*[@id='profile']//li[contains(@class, 'oh-column')]")) == 3

    def test_while_it_is_being_made(self, profiled: Any):
        table_profile.forget(resource_of(profiled)["id"])
        page = profiled.page(f"/dataset/{profiled.entries['air']['name']}")
        assert "各列概况正在生成" in texts(page, "//*[@id='profile']")[0]
        profiled.page(address(profiled, "dictionary"))

    def test_nothing_of_the_data_is_run(self, profiled: Any):
        for page in (f"/dataset/{profiled.entries['evil']['name']}", address(profiled, "dictionary", "evil")):
            assert EVIL not in profiled.page(page).body

    def test_a_file_without_a_table_and_an_entry_of_another(self, portal: Any):
        own, other = portal.entries["air"], resource_of(portal, "bus")
        for name in ("dictionary", "dictionary.csv", "tableschema.json", "csv-metadata.json"):
            portal.page(f"/dataset/{own['name']}/resource/{other['id']}/{name}", 404)
            portal.page(f"/dataset/{own['name']}/resource/nothing/{name}", 404)


class TestFiles:
    def test_the_dictionary_opens_in_excel(self, profiled: Any):
        response = profiled.page(address(profiled, "dictionary.csv"))
        assert response.data.startswith(b"\xef\xbb\xbf")
        rows = list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"))))
        assert tuple(rows[0]) == HEADERS
        assert (rows[0]["信息项名称"], rows[0]["主键"], rows[2]["单位"]) == ("监测站", "是", "μg/m³")
        assert rows[0]["示例值"]
        assert response.headers["Content-Disposition"].startswith("attachment; filename=")
        assert "filename*=UTF-8''" in response.headers["Content-Disposition"]

    def test_the_published_file_is_valid_against_its_table_schema(self, profiled: Any):
        told = json.loads(profiled.page(address(profiled, "tableschema.json")).data)
        path = files.published_file(resource_of(profiled)["id"])
        resource = frictionless.Resource(
            path=path.name,
            basepath=str(path.parent),
            schema=frictionless.Schema.from_descriptor(told),
            format="csv",
            encoding="utf-8-sig",
        )
        report = resource.validate()
        assert report.valid, report.to_summary()

    def test_the_published_file_is_valid_against_its_csvw_metadata(self, profiled: Any, tmp_path: Any):
        response = profiled.page(address(profiled, "csv-metadata.json"))
        assert response.headers["Content-Type"] == MEDIA_TYPE
        told = json.loads(response.data)
        assert urlsplit(told["url"]).path.endswith("/download/data.csv")
        assert told["dc:title"] == profiled.entries["air"]["title"]
        (tmp_path / "data.csv").write_bytes(files.published_file(resource_of(profiled)["id"]).read_bytes())
        (tmp_path / "data.csv-metadata.json").write_text(json.dumps(told | {"url": "data.csv"}), "utf-8")
        assert CSVW(str(tmp_path / "data.csv-metadata.json"), validate=True).is_valid

    def test_the_download_names_its_metadata(self, portal: Any):
        response = portal.page(address(portal, "download/data.csv"))
        assert f'csv-metadata.json>; rel="describedby"; type="{MEDIA_TYPE}"' in response.headers["Link"]

    @pytest.mark.parametrize("name", ["dictionary.csv", "tableschema.json", "csv-metadata.json"])
    def test_who_has_it_need_not_fetch_it_again(self, portal: Any, name: str):
        first = portal.page(address(portal, name))
        again = portal.app.get(
            address(portal, name), headers={"If-None-Match": first.headers["ETag"]}, follow_redirects=False
        )
        assert (again.status_code, again.data) == (304, b"")
        assert "Set-Cookie" not in first.headers


class TestActions:
    def asked(self, portal: Any, action: str, resource_id: str, status: int = 200) -> Any:
        response = portal.app.get(f"/api/3/action/{action}", query_string={"resource_id": resource_id})
        assert response.status_code == status
        return response.json

    def test_dictionary(self, profiled: Any):
        told = self.asked(profiled, "openhuizhou_table_dictionary", resource_of(profiled)["id"])["result"]
        assert [column["column"] for column in told["columns"]] == [item.column for item in AIR_ITEMS]
        assert told["columns"][0]["is_key"] is True
        assert told["columns"][2] | {"examples": []} == {
            "column": "pm25", "name": "细颗粒物", "data_type": "number", "length": None, "scale": None,
            "unit": "μg/m³", "is_key": False, "required": False, "minimum": "", "maximum": "", "pattern": "",
            "description": "", "codes": [], "examples": [],
        }  # fmt: skip

    def test_profile(self, profiled: Any):
        told = self.asked(profiled, "openhuizhou_table_profile", resource_of(profiled)["id"])["result"]
        assert (told["state"], told["rows"], told["sampled"]) == ("ready", 24, None)
        assert [column["nulls"] for column in told["columns"]] == [0, 0, 0]
        table_profile.forget(resource_of(profiled)["id"])
        waiting = self.asked(profiled, "openhuizhou_table_profile", resource_of(profiled)["id"])["result"]
        assert waiting == {"resource_id": resource_of(profiled)["id"], "state": "waiting"}

    @pytest.mark.parametrize("action", ["openhuizhou_table_dictionary", "openhuizhou_table_profile"])
    def test_what_there_is_not(self, portal: Any, action: str):
        self.asked(portal, action, "nothing", 404)
        self.asked(portal, action, "", 409)
