"""The form in the browser's way: CSRF token, flat field names, errors beside the fields, nothing lost."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from ckan import model

Values = Callable[..., dict[str, Any]]


def as_form(entry: dict[str, Any], **more: str) -> dict[str, Any]:
    """An entry as the form sends it, with two rows left blank in between."""
    form = {name: value for name, value in entry.items() if name != "items"}
    for row, item in enumerate(entry.get("items", ())):
        number = row if row < 2 else row + 2
        form |= {
            f"items-{number}-{name}": str(value).lower() if value is True else value for name, value in item.items()
        }
    for row in (2, 3):
        form |= {f"items-{row}-{name}": "" for name in ("name", "column", "data_type", "length", "is_key")}
    return {**form, "save": "save", **more}


def beside(page: str, field: str) -> str:
    """The error that stands beside a field."""
    match = re.search(rf'id="field-{re.escape(field)}-error">([^<]*)<', page)
    return html.unescape(match[1]) if match else ""


def typed(page: str, field: str) -> str | None:
    """What stands in a text field."""
    match = re.search(rf'name="{re.escape(field)}" value="([^"]*)"', page)
    return html.unescape(match[1]) if match else None


def chosen(page: str, field: str) -> str | None:
    """What is chosen in a select."""
    select = re.search(rf'<select[^>]*name="{re.escape(field)}"[^>]*>(.*?)</select>', page, re.DOTALL)
    match = select and re.search(r'value="([^"]*)" selected', select[1])
    return match[1] if match else None


def is_chinese(text: str) -> bool:
    return any("一" <= letter <= "鿿" for letter in text)


class TestNewEntry:
    def test_with_five_items_is_saved_as_a_draft(self, site: Any, values: Values):
        entry = values(tag_string="水质，监测、断面")
        sent = site.post("officer", "/dataset/new", as_form(entry, entry_state="draft"))
        assert sent.status_code == 302, beside(sent.text, "title")
        saved = site.act("officer", "package_show", id=sent.location.rstrip("/").split("/")[-1])
        assert saved["title"] == entry["title"]
        assert saved["entry_state"] == "draft"
        assert saved["items"] == entry["items"]
        assert {tag["name"] for tag in saved["tags"]} == {"水质", "监测", "断面"}

    def test_is_published_in_one_step_by_the_platform_officer(self, site: Any, values: Values):
        sent = site.post("platform", "/dataset/new", as_form(values(), entry_state="published"))
        assert sent.status_code == 302
        name = sent.location.rstrip("/").split("/")[-1]
        assert site.act("visitor", "package_show", id=name)["entry_state"] == "published"

    def test_keeps_the_order_of_more_than_ten_items(self, site: Any, values: Values):
        items = [{"name": f"第{n}列", "column": f"c{n}", "data_type": "string"} for n in range(23)]
        sent = site.post("officer", "/dataset/new", as_form(values(items=items), entry_state="draft"))
        saved = site.act("officer", "package_show", id=sent.location.rstrip("/").split("/")[-1])
        assert [item["column"] for item in saved["items"]] == [f"c{n}" for n in range(23)]

    def test_that_is_wrong_comes_back_with_chinese_errors_and_everything_typed(self, site: Any, values: Values):
        wrong = values(title="水质 监测系统", notes=None, open_type="conditional", contact_email="不是邮箱")
        wrong["items"][1]["column"] = "断面 <名称>"
        wrong["items"][4]["length"] = "五位"
        before = model.Session.query(model.Package).count()
        page = site.post("platform", "/dataset/new", as_form(wrong, entry_state="published"))
        assert page.status_code == 200
        assert model.Session.query(model.Package).count() == before
        for field in ("title", "notes", "open_condition", "contact_email", "items-1-column", "items-4-length"):
            assert is_chinese(beside(page.text, field)), field
        for field in ("theme", "items-0-column", "items-2-name"):
            assert beside(page.text, field) == "", field
        assert "<名称>" not in page.text, "what was typed is not escaped"
        assert typed(page.text, "title") == "水质 监测系统"
        assert typed(page.text, "contact_email") == "不是邮箱"
        assert chosen(page.text, "category") == "211001"
        assert chosen(page.text, "theme") == "environment"
        assert chosen(page.text, "open_type") == "conditional"
        assert chosen(page.text, "owner_org") == wrong["owner_org"]
        for row, item in enumerate(wrong["items"]):
            assert typed(page.text, f"items-{row}-name") == item["name"]
            assert typed(page.text, f"items-{row}-column") == item["column"]
            assert chosen(page.text, f"items-{row}-data_type") == item["data_type"]
        assert typed(page.text, "items-4-length") == "五位"
        assert chosen(page.text, "items-0-is_key") == "true"

    def test_offers_five_blank_rows_without_javascript(self, site: Any):
        page = site.get("officer", "/dataset/new")
        assert [typed(page.text, f"items-{row}-column") for row in range(6)] == [""] * 5 + [None]

    def test_offers_publishing_to_the_platform_officer_only(self, site: Any):
        button = 'name="entry_state" value="published"'
        assert button in site.get("platform", "/dataset/new").text
        assert button not in site.get("officer", "/dataset/new").text

    def test_offers_a_department_its_own_organization_only(self, site: Any):
        own = site.get("officer", "/dataset/new").text
        assert site.organizations["huanbaoju"]["id"] in own
        assert site.organizations["jiaotongju"]["id"] not in own
        assert site.organizations["jiaotongju"]["id"] in site.get("platform", "/dataset/new").text

    def test_without_its_token_is_refused(self, site: Any, values: Values):
        before = model.Session.query(model.Package).count()
        refused = site.post("officer", "/dataset/new", as_form(values(), entry_state="draft"), token="forged")
        assert refused.status_code == 400
        assert "表单" in refused.text
        assert "CSRF" not in refused.text[refused.text.index("<h1") :]
        assert model.Session.query(model.Package).count() == before

    def test_is_nothing_for_a_citizen(self, site: Any):
        assert site.get("citizen", "/dataset/new").status_code == 403


class TestDraft:
    def test_is_changed_in_the_same_form(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        address = f"/dataset/edit/{entry['name']}"
        page = site.get("officer", address)
        assert typed(page.text, "title") == entry["title"]
        assert chosen(page.text, "items-0-is_key") == "true"
        items = entry["items"][:3]
        sent = site.post(
            "officer", address, as_form({**values(title="改过的名称"), "items": items}, entry_state="draft")
        )
        assert sent.status_code == 302
        changed = site.act("officer", "package_show", id=entry["id"])
        assert (changed["name"], changed["title"]) == (entry["name"], "改过的名称")
        assert changed["items"] == items

    def test_that_somebody_else_has_saved_meanwhile_is_not_overwritten_unseen(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        address = f"/dataset/edit/{entry['name']}"
        opened = typed(site.get("platform", address).text, "seen_version")
        assert opened
        theirs = {**values(title=entry["title"], notes="甲的摘要"), "seen_version": opened}
        assert site.post("officer", address, as_form(theirs, entry_state="draft")).status_code == 302

        mine = {**values(title=entry["title"], notes="乙的摘要"), "seen_version": opened}
        refused = site.post("platform", address, as_form(mine, entry_state="draft"))
        assert refused.status_code == 200
        assert "其他人已经保存过此条目" in refused.text
        assert "乙的摘要</textarea>" in refused.text
        assert site.act("officer", "package_show", id=entry["id"])["notes"] == "甲的摘要"

        mine["seen_version"] = typed(refused.text, "seen_version")
        assert mine["seen_version"] != opened
        assert site.post("platform", address, as_form(mine, entry_state="draft")).status_code == 302
        saved = site.act("officer", "package_show", id=entry["id"])
        assert saved["notes"] == "乙的摘要"
        assert "seen_version" not in saved

    def test_keeps_its_version_while_it_comes_back_with_mistakes(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        address = f"/dataset/edit/{entry['name']}"
        opened = typed(site.get("officer", address).text, "seen_version")
        wrong = {**values(title="新的平台"), "seen_version": opened}
        page = site.post("officer", address, as_form(wrong, entry_state="draft"))
        site.act("platform", "package_patch", id=entry["id"], notes="别人的摘要")
        mended = {**values(), "seen_version": typed(page.text, "seen_version")}
        assert "其他人已经保存过此条目" in site.post("officer", address, as_form(mended, entry_state="draft")).text

    def test_needs_a_title(self, site: Any, values: Values):
        before = model.Session.query(model.Package).count()
        page = site.post("officer", "/dataset/new", as_form(values(title=" "), entry_state="draft"))
        assert page.status_code == 200
        assert is_chinese(beside(page.text, "title"))
        assert model.Session.query(model.Package).count() == before

    def test_is_not_published_by_its_department_which_is_told_so_in_words(self, site: Any, values: Values):
        page = site.post("officer", "/dataset/new", as_form(values(), entry_state="published"))
        assert "由“草稿”变为“已发布”" in html.unescape(page.text)

    def test_that_becomes_wrong_comes_back_as_it_was_typed(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        address = f"/dataset/edit/{entry['name']}"
        page = site.post("officer", address, as_form(values(title="新的平台", notes="新的摘要"), entry_state="draft"))
        assert page.status_code == 200
        assert is_chinese(beside(page.text, "title"))
        assert typed(page.text, "title") == "新的平台"
        assert "新的摘要</textarea>" in page.text
        assert f'action="/dataset/edit/{entry["id"]}"' in page.text
        assert site.act("officer", "package_show", id=entry["id"])["title"] == entry["title"]

    def test_is_published_from_its_page(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        page = f"/dataset/{entry['name']}"
        sent = site.post("platform", f"{page}/publish", {}, page=page)
        assert sent.status_code == 302
        assert site.act("visitor", "package_show", id=entry["id"])["entry_state"] == "published"

    def test_that_is_not_complete_is_shown_with_what_it_lacks(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values(theme=None))
        page = f"/dataset/{entry['name']}"
        shown = site.post("platform", f"{page}/publish", {}, page=page)
        assert shown.status_code == 200
        assert is_chinese(beside(shown.text, "theme"))
        assert typed(shown.text, "title") == entry["title"]
        assert typed(shown.text, "items-4-column") == "dissolved_oxygen"


class TestPublishedEntry:
    def test_is_no_form_for_its_department(self, site: Any, values: Values):
        entry = site.act("platform", "package_create", **values(entry_state="published"))
        assert site.get("officer", f"/dataset/edit/{entry['name']}").status_code == 403

    def test_is_withdrawn_from_its_page_with_a_reason(self, site: Any, values: Values):
        entry = site.act("platform", "package_create", **values(entry_state="published"))
        page = f"/dataset/{entry['name']}"
        assert site.post("platform", f"{page}/withdraw", {"reason": " "}, page=page).status_code == 302
        assert site.act("visitor", "package_show", id=entry["id"])["entry_state"] == "published"
        assert site.post("platform", f"{page}/withdraw", {"reason": "数据有误"}, page=page).status_code == 302
        assert site.act("officer", "package_show", id=entry["id"])["withdraw_reason"] == "数据有误"

    def test_is_corrected_by_the_platform_officer_and_stays_published(self, site: Any, values: Values):
        entry = site.act("platform", "package_create", **values(entry_state="published"))
        address = f"/dataset/edit/{entry['name']}"
        sent = site.post("platform", address, as_form(values(notes="更正"), entry_state="published"))
        assert sent.status_code == 302
        changed = site.act("visitor", "package_show", id=entry["id"])
        assert (changed["notes"], changed["entry_state"], changed["issued"]) == ("更正", "published", entry["issued"])


class TestOtherDepartment:
    @pytest.mark.parametrize("page", ["edit/{0}", "{0}/resource/new"])
    def test_opens_no_form_of_an_entry(self, site: Any, values: Values, page: str):
        public = site.act("platform", "package_create", **values(entry_state="published"))
        refused = site.get("neighbour", "/dataset/" + page.format(public["name"]))
        assert (refused.status_code, "无权" in refused.text) == (403, True)
        draft = site.act("officer", "package_create", **values())
        hidden = site.get("neighbour", "/dataset/" + page.format(draft["name"]))
        assert hidden.status_code in {403, 404}
        assert draft["title"] not in hidden.text

    @pytest.mark.parametrize("step", ["delete/{0}", "{0}/publish", "{0}/withdraw"])
    def test_takes_no_step_with_an_entry(self, site: Any, values: Values, step: str):
        entry = site.act("platform", "package_create", **values(entry_state="published"))
        address = "/dataset/" + step.format(entry["name"])
        refused = site.post("neighbour", address, {"reason": "试试"}, page="/dashboard/datasets")
        assert refused.status_code == 403
        assert site.act("visitor", "package_show", id=entry["id"])["entry_state"] == "published"


class TestFile:
    def test_form_publishes_nothing(self, site: Any, values: Values):
        entry = site.act("officer", "package_create", **values())
        form = site.get("officer", f"/dataset/{entry['name']}/resource/new").text
        buttons = re.findall(r'<button[^>]*name="save"[^>]*>([^<]*)<', form)
        assert [button.strip() for button in buttons] == ["保存并继续添加", "保存"]
        assert "检查通过之前" in form
        assert f"/dataset/{entry['name']}/resource/new" in site.get("officer", f"/dataset/{entry['name']}").text
