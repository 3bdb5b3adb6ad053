"""The addresses of exports: names, caches, ranges, queries, and the ZIP of an entry."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile

import pytest

from ckanext.openhuizhou.exports.formats import FORMATS

FORMS = [name for name in FORMATS if name != "geojson"]


@pytest.fixture
def entry(world):
    return world.entries["open"]


@pytest.fixture
def get(world, entry):
    def fetch(format_name="csv", **options):
        address = f"/dataset/{entry['name']}/resource/{entry['resources'][0]['id']}/export/{format_name}"
        return world.app.get(address, **options)

    return fetch


class TestWholeTable:
    @pytest.mark.parametrize("name", FORMS)
    def test_is_a_file_with_the_chinese_title(self, get, entry, name):
        response = get(name)
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith(FORMATS[name].media_type.partition(";")[0])
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        disposition = response.headers["Content-Disposition"]
        assert disposition.startswith(f'attachment; filename="{entry["name"]}{FORMATS[name].suffix}"; ')
        assert f"%E7%A9%BA%E6%B0%94%E8%B4%A8%E9%87%8F%20open{FORMATS[name].suffix}" in disposition
        assert int(response.headers["Content-Length"]) == len(response.data)

    @pytest.mark.parametrize("name", FORMS)
    def test_is_kept_resumed_and_asked_for_again(self, get, name):
        whole = get(name)
        assert whole.headers["ETag"].strip('"') == hashlib.sha256(whole.data).hexdigest()
        again = get(name, headers={"If-None-Match": whole.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        part = get(name, headers={"Range": "bytes=2-5"})
        assert (part.status_code, part.data) == (206, whole.data[2:6])
        assert get(name).data == whole.data

    def test_head_tells_size_and_name_without_the_file(self, world, entry):
        address = f"/dataset/{entry['name']}/resource/{entry['resources'][0]['id']}/export/xlsx"
        response = world.app.test_client().head(address)
        assert (response.status_code, response.data) == (200, b"")
        assert int(response.headers["Content-Length"]) > 1000, dict(response.headers)

    def test_json_holds_the_rows(self, get):
        assert json.loads(get("json").data) == [{"station": "惠城站", "reading": 1.5}]

    @pytest.mark.parametrize("name", ["geojson", "pdf", "csv.exe"])
    def test_what_cannot_be_had_is_not_found(self, get, name):
        assert get(name).status_code == 404

    def test_is_for_everybody_only_when_asked_without_a_name(self, world, entry):
        address = f"/dataset/{entry['name']}/resource/{entry['resources'][0]['id']}/export/json"
        assert world.get("visitor", address).cache_control.public
        assert world.get("citizen", address).cache_control.private


class TestPicked:
    def test_columns_and_filters_of_the_address(self, get):
        assert json.loads(get("json", query_string={"columns": "reading", "f.reading.ge": "1"}).data) == [
            {"reading": 1.5}
        ]
        assert json.loads(get("json", query_string={"f.reading.gt": "2"}).data) == []

    def test_csv_as_a_program_wants_it(self, get):
        response = get(query_string={"bom": "0", "header": "id"})
        assert response.data.decode() == "station,reading\n惠城站,1.5\n"
        assert "selection" not in response.headers["Content-Disposition"]

    def test_says_that_it_is_a_selection(self, get):
        disposition = get(query_string={"columns": "reading"}).headers["Content-Disposition"]
        assert "%20open-" in disposition

    def test_has_an_etag_of_its_own(self, get):
        first = get(query_string={"f.reading.ge": "1"})
        assert first.headers["ETag"].startswith("W/")
        again = get(query_string={"f.reading.ge": "1"}, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        other = get(query_string={"f.reading.ge": "2"}, headers={"If-None-Match": first.headers["ETag"]})
        assert other.status_code == 200

    @pytest.mark.parametrize("args", [{"f.reading.ge": "x"}, {"columns": "nothing"}, {"f.nothing.eq": "1"}])
    def test_a_question_that_is_not_understood_is_no_file(self, get, args):
        assert get(query_string=args).status_code == 400


class TestZip:
    def archive(self, world, entry, **options):
        return world.app.get(f"/dataset/{entry['name']}/export.zip", **options)

    def test_holds_table_description_terms_and_readme(self, world, entry):
        response = self.archive(world, entry)
        assert response.headers["Content-Type"] == "application/zip"
        assert f'filename="{entry["name"]}.zip"' in response.headers["Content-Disposition"]
        archive = zipfile.ZipFile(io.BytesIO(response.data))
        assert archive.testzip() is None
        stem = "空气质量 open"
        described = [f"{stem}.dictionary.csv", f"{stem}.tableschema.json", f"{stem}.csv-metadata.json"]
        texts = ["README.zh.txt", "LICENCE.zh.txt", "README.en.txt", "LICENCE.en.txt"]
        assert archive.namelist() == [*texts, f"{stem}.csv", *described]
        assert archive.read(f"{stem}.csv").decode() == "\ufeff站点名称,读数\r\n惠城站,1.5\r\n"
        assert (
            json.loads(archive.read(f"{stem}.csv-metadata.json"))["url"]
            == "%E7%A9%BA%E6%B0%94%E8%B4%A8%E9%87%8F%20open.csv"
        )
        told = {cell for row in csv.reader(io.StringIO(archive.read(described[0]).decode())) for cell in row}
        assert {"站点名称", "station", "读数", "reading"} <= told

    def test_the_readme_names_each_file_with_its_digest_in_both_languages(self, world, entry):
        archive = zipfile.ZipFile(io.BytesIO(self.archive(world, entry).data))
        for language, word in (("zh", "部门"), ("en", "Department")):
            readme = archive.read(f"README.{language}.txt").decode("utf-8-sig")
            assert f"{word}: 演示环境保护局" in readme
            assert entry["catalogue_code"] in readme
            for name in archive.namelist():
                if not name.endswith(".txt"):
                    assert f"{hashlib.sha256(archive.read(name)).hexdigest()}  {name}" in readme

    def test_is_asked_for_again(self, world, entry):
        first = self.archive(world, entry)
        again = self.archive(world, entry, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")

    def test_head_opens_nothing(self, world, entry):
        response = world.app.test_client().head(f"/dataset/{entry['name']}/export.zip")
        assert (response.status_code, response.data) == (200, b"")

    def test_conditional_data_says_why(self, world):
        response = self.archive(world, world.entries["conditional, shared"])
        assert response.status_code == 403
        assert "有条件开放" in response.body
