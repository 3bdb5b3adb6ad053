"""The table of design: every role, every kind of entry, every way out. What a test expects stands here in full."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import ckan.plugins.toolkit as tk
import pytest

from .conftest import KINDS, World, entry

CONDITIONAL = {"conditional, shared", "conditional, shared on conditions", "conditional, not shared"}
CLOSED = {"closed, shared", "closed, shared on conditions", "closed, not shared"}
PUBLIC = {"open"} | CONDITIONAL
EVERYTHING = set(KINDS)

#: role -> kinds whose metadata it sees, kinds whose data it reads
EXPECTED: dict[str, tuple[set[str], set[str]]] = {
    "visitor": (PUBLIC, {"open"}),
    "citizen": (PUBLIC, {"open"}),
    "other department": (PUBLIC | CLOSED, {"open", "conditional, shared", "closed, shared"}),
    "own department": (EVERYTHING, EVERYTHING),
    "platform": (EVERYTHING, EVERYTHING - {"conditional, not shared", "closed, not shared"}),
    "sysadmin": (EVERYTHING, EVERYTHING),
}
ROLES = sorted(EXPECTED)
Way = Callable[[World, str], set[str]]


def asked_one_by_one(found: Callable[[World, str, dict[str, Any]], bool]) -> Way:
    """A way that is tried with each entry."""

    def seen(world: World, who: str) -> set[str]:
        return {kind for kind, entry in world.entries.items() if found(world, who, entry)}

    return seen


def page(address: str) -> Way:
    """A page of an entry: 200, or 404 as if there were no such thing."""

    def found(world: World, who: str, entry: dict[str, Any]) -> bool:
        status = world.get(who, address.format(entry["name"], entry["resources"][0]["id"])).status_code
        assert status in (200, 404)
        return status == 200

    return asked_one_by_one(found)


def data(address: str) -> Way:
    """An address of data: 200, 403 behind a visible entry, 404 otherwise."""

    def found(world: World, who: str, entry: dict[str, Any]) -> bool:
        status = world.get(who, address.format(entry["name"], entry["resources"][0]["id"])).status_code
        assert status in (200, 403, 404)
        return status == 200

    return asked_one_by_one(found)


def by_id(action: str, of: Callable[[dict[str, Any]], str], parameter: str = "id") -> Way:
    return asked_one_by_one(lambda world, who, entry: world.action(who, action, **{parameter: of(entry)}) is not None)


def package_id(entry: dict[str, Any]) -> str:
    return entry["id"]


def resource_id(entry: dict[str, Any]) -> str:
    return entry["resources"][0]["id"]


def search(world: World, who: str) -> set[str]:
    found = world.action(who, "package_search", q="空气质量", rows=100, include_private=True, include_drafts=True)
    assert found["count"] == len(found["results"])
    return world.kinds(result["id"] for result in found["results"])


def organization_datasets(world: World, who: str) -> set[str]:
    found = world.action(who, "organization_show", id=world.organization["id"], include_datasets=True)
    assert found["package_count"] == len(found["packages"])
    return world.kinds(package["id"] for package in found["packages"])


def feed(world: World, who: str) -> set[str]:
    body = world.get(who, f"/feeds/organization/{world.organization['name']}.atom").body
    return world.kinds(re.findall(r"/dataset/([0-9a-z-]+)", body))


def activities(action: str, **params: str) -> Way:
    def seen(world: World, who: str) -> set[str]:
        given = {name: value.format(world.organization["id"]) for name, value in params.items()}
        return world.kinds(item["object_id"] for item in world.action(who, action, limit=100, **given))

    return seen


METADATA_WAYS: dict[str, Way] = {
    "entry page": page("/dataset/{0}"),
    "resource page": page("/dataset/{0}/resource/{1}"),
    "package_show": by_id("package_show", package_id),
    "resource_show": by_id("resource_show", resource_id),
    "package_activity_list": by_id("package_activity_list", package_id),
    "score": by_id("openhuizhou_quality_show", package_id),
    "package_search": search,
    "recently_changed_packages_activity_list": activities("recently_changed_packages_activity_list"),
}
DATA_WAYS: dict[str, Way] = {
    "datastore_search": by_id("datastore_search", resource_id, "resource_id"),
    "datastore_info": by_id("datastore_info", resource_id),
    "dump": data("/datastore/dump/{1}"),
    "file": data("/dataset/{0}/resource/{1}/download/data.csv"),
    "file by any name": data("/dataset/{0}/resource/{1}/download"),
    "export": data("/dataset/{0}/resource/{1}/export/json"),
    "zip": data("/dataset/{0}/export.zip"),
    "table page": data("/dataset/{0}/resource/{1}/table"),
    "checks": by_id("openhuizhou_data_check_show", resource_id, "resource_id"),
    "chart": data("/dataset/{0}/resource/{1}/chart"),
    "figures of a chart": data("/dataset/{0}/resource/{1}/chart.csv"),
    "page of checks": data("/dataset/{0}/resource/{1}/checks"),
    "bad rows": data("/dataset/{0}/resource/{1}/checks/bad-rows.csv"),
    "dictionary": by_id("openhuizhou_table_dictionary", resource_id, "resource_id"),
    "profile": by_id("openhuizhou_table_profile", resource_id, "resource_id"),
    "page of the dictionary": data("/dataset/{0}/resource/{1}/dictionary"),
    "file of the dictionary": data("/dataset/{0}/resource/{1}/dictionary.csv"),
    "table schema": data("/dataset/{0}/resource/{1}/tableschema.json"),
    "csvw": data("/dataset/{0}/resource/{1}/csv-metadata.json"),
    "versions": by_id("openhuizhou_table_version_list", resource_id, "resource_id"),
    "page of versions": data("/dataset/{0}/resource/{1}/versions"),
    "page of a version": data("/dataset/{0}/resource/{1}/versions/1"),
    "file of a version": data("/dataset/{0}/resource/{1}/versions/1.parquet"),
}
#: Here CKAN leaves out drafts, or all that is not public, even for those who may see it.
PUBLIC_WAYS: dict[str, Way] = {
    "package_autocomplete": lambda world, who: world.kinds(
        found["name"] for found in world.action(who, "package_autocomplete", q="空气质量", limit=100)
    ),
    "organization_activity_list": activities("organization_activity_list", id="{}"),
    "member_list": lambda world, who: world.kinds(
        member[0] for member in world.action(who, "member_list", id=world.organization["id"], object_type="package")
    ),
    "package_list": lambda world, who: world.kinds(world.action(who, "package_list")),
    "resource_search": lambda world, who: world.kinds(
        found["id"] for found in world.action(who, "resource_search", query="name:数据")["results"]
    ),
    "feed": feed,
    "tag_list": lambda world, who: world.kinds(world.action(who, "tag_list")),
    "tag_list with fields": lambda world, who: world.kinds(
        tag["name"] for tag in world.action(who, "tag_list", all_fields=True)
    ),
    "tag_autocomplete": lambda world, who: world.kinds(world.action(who, "tag_autocomplete", query="空气", limit=100)),
    "tag_search": lambda world, who: world.kinds(
        tag["name"] for tag in world.action(who, "tag_search", query="空气")["results"]
    ),
}


@pytest.mark.parametrize("who", ROLES)
class TestTable:
    @pytest.mark.parametrize("way", sorted(METADATA_WAYS))
    def test_metadata(self, world, who, way):
        assert METADATA_WAYS[way](world, who) == EXPECTED[who][0]

    @pytest.mark.parametrize("way", sorted(DATA_WAYS))
    def test_data(self, world, who, way):
        assert DATA_WAYS[way](world, who) == EXPECTED[who][1]

    @pytest.mark.parametrize("way", sorted(PUBLIC_WAYS))
    def test_lists_of_what_is_public(self, world, who, way):
        assert PUBLIC <= PUBLIC_WAYS[way](world, who) <= EXPECTED[who][0]

    def test_counts(self, world, who):
        wanted = {"rows": 0, "include_private": True, "include_drafts": True, "facet.field": '["organization"]'}
        found = world.action(who, "package_search", **wanted)
        count = len(EXPECTED[who][0])
        assert found["count"] == count
        assert found["facets"]["organization"] == {world.organization["name"]: count}

    def test_counts_of_organizations(self, world, who):
        shown = world.action(who, "organization_show", id=world.organization["id"])["package_count"]
        listed = {org["id"]: org for org in world.action(who, "organization_list", all_fields=True)}
        for count in (shown, listed[world.organization["id"]]["package_count"]):
            assert len(PUBLIC) <= count <= len(EXPECTED[who][0])

    def test_datasets_of_the_organization(self, world, who):
        assert PUBLIC <= organization_datasets(world, who) <= EXPECTED[who][0]

    def test_search_without_asking_for_more(self, world, who):
        found = world.action(who, "package_search", rows=100)
        assert PUBLIC <= world.kinds(result["id"] for result in found["results"]) <= EXPECTED[who][0]

    def test_views_of_resources(self, world, who):
        for kind in EXPECTED[who][0]:
            assert world.action(who, "resource_view_list", id=resource_id(world.entries[kind])) == []


class TestRefusals:
    @pytest.mark.parametrize("address", ["/dataset/{0}/resource/{1}/download/data.csv", "/datastore/dump/{1}"])
    def test_conditional_data_says_why_in_chinese(self, world, address):
        entry = world.entries["conditional, shared"]
        response = world.get("visitor", address.format(entry["name"], resource_id(entry)))
        assert response.status_code == 403
        assert "有条件开放" in response.body
        assert entry["title"] in response.body

    @pytest.mark.parametrize("kind", ["draft", "withdrawn", *sorted(CLOSED)])
    def test_an_invisible_entry_is_as_if_it_were_not(self, world, kind):
        entry = world.entries[kind]
        for address in ("/dataset/{0}", "/dataset/{0}/resource/{1}/download/data.csv", "/datastore/dump/{1}"):
            response = world.get("visitor", address.format(entry["name"], resource_id(entry)))
            assert response.status_code == 404
            assert entry["title"] not in response.body

    def test_no_table_is_searched_without_its_resource(self, world):
        for table in ("_table_metadata", "pg_class", "openhuizhou_load"):
            assert world.action("visitor", "datastore_search", resource_id=table) is None
        assert tk.config["ckan.datastore.public_table_search"] == []
        assert tk.config["ckan.datastore.sqlsearch.enabled"] is False

    def test_the_activity_of_a_withdrawn_entry_is_gone_for_visitors(self, world):
        entry = world.entries["withdrawn"]
        ids = [item["id"] for item in world.action("sysadmin", "package_activity_list", id=entry["id"])]
        assert len(ids) > 1
        for activity_id in ids:
            assert world.action("visitor", "activity_show", id=activity_id, include_data=False) is None
            assert world.action("visitor", "activity_data_show", id=activity_id) is None


class TestDownload:
    def address(self, entry: dict[str, Any]) -> str:
        return f"/dataset/{entry['name']}/resource/{resource_id(entry)}/download/data.csv"

    def test_is_an_attachment_with_the_chinese_title(self, world):
        entry = world.entries["open"]
        response = world.get("visitor", self.address(entry))
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        disposition = response.headers["Content-Disposition"]
        assert disposition.startswith(f'attachment; filename="{entry["name"]}.csv"; ')
        assert "filename*=UTF-8''%E7%A9%BA%E6%B0%94%E8%B4%A8%E9%87%8F%20open.csv" in disposition
        assert response.body == "\ufeff站点名称,读数\r\n惠城站,1.5\r\n"

    def test_is_not_sent_again_when_it_has_not_changed(self, world):
        address = self.address(world.entries["open"])
        first = world.get("visitor", address)
        again = world.app.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.body) == (304, "")

    def test_can_be_resumed(self, world):
        response = world.app.get(self.address(world.entries["open"]), headers={"Range": "bytes=3-14"})
        assert (response.status_code, response.body) == (206, "站点名称")

    @pytest.mark.parametrize("address", ["/dataset/{0}/resource/{1}/download/data.csv", "/datastore/dump/{1}"])
    def test_only_what_everybody_gets_may_be_kept_by_a_shared_cache(self, world, address):
        entry = world.entries["closed, shared"]
        own = world.get("own department", address.format(entry["name"], resource_id(entry)))
        assert own.cache_control.private
        assert not own.cache_control.public
        entry = world.entries["open"]
        assert world.get("visitor", address.format(entry["name"], resource_id(entry))).cache_control.public

    def test_an_answer_of_the_api_to_somebody_is_his(self, world):
        answer = world.get("own department", "/api/3/action/package_search")
        assert answer.cache_control.private
        assert not answer.cache_control.public

    def test_an_unknown_resource_is_not_found(self, world):
        entry = world.entries["open"]
        response = world.get("visitor", f"/dataset/{entry['name']}/resource/{entry['id']}/download/data.csv")
        assert response.status_code == 404


class TestUncheckedData:
    """What came past the loader: nobody has looked for personal data in it; publishing its entry looks at no file."""

    @pytest.fixture
    def uploaded(self, world):
        """A draft with a file that its department uploaded by hand, published by the platform officer."""
        draft = entry("draft", world.organization["id"], world.users["sysadmin"]["name"], title="手工上传", load=False)
        address = "/api/3/action/resource_create"
        headers = {"Authorization": world.tokens["own department"]}
        form = {"package_id": draft["id"], "name": "名单", "upload": (BytesIO("姓名\n某人\n".encode()), "list.csv")}
        made = world.app.post(address, data=form, headers=headers, content_type="multipart/form-data")
        assert made.status_code == 200, made.body
        as_officer = {"user": world.users["platform"]["name"]}
        with world.app.flask_app.test_request_context():
            tk.get_action("openhuizhou_entry_publish")(as_officer, {"id": draft["id"]})
        yield {**draft, "resource": made.json["result"]}
        with world.app.flask_app.test_request_context():
            tk.get_action("dataset_purge")({"user": world.users["sysadmin"]["name"]}, {"id": draft["id"]})

    def test_an_uploaded_file_is_not_public_though_its_entry_is(self, world, uploaded):
        address = f"/dataset/{uploaded['name']}/resource/{uploaded['resource']['id']}/download/list.csv"
        assert world.action("visitor", "package_show", id=uploaded["id"])["entry_state"] == "published"
        for who in ("visitor", "citizen", "other department"):
            refused = world.get(who, address)
            assert (refused.status_code, "尚未经过检查" in refused.body) == (403, True), who
        for who in ("own department", "platform", "sysadmin"):
            assert world.get(who, address).status_code == 200, who

    def test_a_table_made_by_hand_is_not_public_even_when_its_resource_says_it_is_an_address(self, world, uploaded):
        resource_id = uploaded["resource"]["id"]
        as_sysadmin = {"user": world.users["sysadmin"]["name"]}
        with world.app.flask_app.test_request_context():
            table = {"resource_id": resource_id, "force": True, "records": [{"name": "某人"}]}
            tk.get_action("datastore_create")(dict(as_sysadmin), table)
            changes = {"id": resource_id, "url_type": "", "url": "https://example.com/list.csv"}
            tk.get_action("resource_patch")(dict(as_sysadmin), changes)
        assert world.action("visitor", "datastore_search", resource_id=resource_id) is None
        assert world.action("other department", "datastore_info", id=resource_id) is None
        assert world.action("own department", "datastore_search", resource_id=resource_id)["total"] == 1

    @pytest.mark.parametrize("kind", ["draft", "withdrawn"])
    @pytest.mark.parametrize("way", ["resource_patch", "package_revise"])
    def test_no_file_takes_the_place_of_a_checked_one(self, world, kind, way):
        package = world.entries[kind]
        id_ = resource_id(package)
        file = (BytesIO("姓名\n某人\n".encode()), "list.csv")
        form = {
            "resource_patch": {"id": id_, "upload": file},
            "package_revise": {"match": f'{{"id": "{package["id"]}"}}', f"update__resources__{id_}__upload": file},
        }[way]
        headers = {"Authorization": world.tokens["own department"]}
        world.app.post(
            f"/api/3/action/{way}", data=form, headers=headers, content_type="multipart/form-data", status=200
        )
        # it waits for a worker, which checks it; until then the checked one is what everybody gets who gets any
        body = world.get("own department", f"/dataset/{package['name']}/resource/{id_}/download/data.csv").body
        assert ("惠城站" in body, "某人" in body) == (True, False)

    @pytest.mark.parametrize(
        ("action_name", "params"),
        [
            ("datastore_create", {"fields": [{"id": "station"}]}),
            ("datastore_upsert", {"method": "insert", "records": [{"station": "某人"}]}),
            ("datastore_delete", {}),
            ("datastore_records_delete", {"filters": {}}),
        ],
    )
    def test_nobody_writes_into_the_loaders_tables(self, world, action_name, params):
        data = {"resource_id": resource_id(world.entries["draft"]), "force": True, **params}
        headers = {"Authorization": world.tokens["own department"]}
        sent = world.app.post(f"/api/3/action/{action_name}", json=data, headers=headers, status=403)
        assert "由采集写入" in sent.json["error"]["message"]
