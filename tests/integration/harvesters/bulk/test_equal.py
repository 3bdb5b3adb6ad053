"""What is written at once is what CKAN's actions write: every column of every table, every document, every answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.integration.harvesters.bulk.conftest import Portal

from ckanext.openhuizhou.harvesters.records import Link

LINK = Link(
    "http://data.example.org/一月.csv",
    name="一月",
    format="csv",
    description="演示",
    mimetype="text/csv",
    size=12,
    modified="2018-03-05T08:00:00",
)
BARE = Link("http://data.example.org/b.pdf")
EVERYTHING: dict[str, Any] = {
    "demo": True,
    "version": "1.0",
    "license_id": "huizhou-open",
    "region": "441302",
    "time_range": " 2017年 ",
    "spatial_range": "全市",
    "industry": "N",
    "data_level": 1,
    "source_system": "演示系统",
    "registration_code": "X-1",
    "contact_name": "数据科",
    "contact_phone": "0752-0000000",
    "contact_email": "demo@example.org",
    "secret": False,
    "row_count": 12,
    "data_modified": "2018-03-05T08:00:00",
}

HAND = "6d2d6a9e-7b3c-4f0a-9d46-0d0c2b9f5a11"

Both = Callable[..., Any]


class TestNewEntries:
    def test_of_every_kind(self, both: Both):
        def step(portal: Portal) -> Any:
            entries = {
                "plain": portal.entry("甲"),
                "no tags": portal.entry("乙", tag_string=None),
                "tags twice": portal.entry("丙", tag_string="空气，空气, air quality"),
                "conditional": portal.entry("丁", open_type="conditional", open_condition="须申请"),
                "closed": portal.entry("戊", open_type="none", open_condition="依据某条例"),
                "spaces": portal.entry("  己 ", notes="  摘要  "),
                "everything": portal.entry("庚", **EVERYTHING),
            }
            return portal.write(entries, links={"plain": [LINK, BARE], "closed": [BARE]})

        both(step)

    def test_of_a_source_that_nobody_approved(self, both: Both):
        both(
            lambda portal: portal.write(
                {"draft": portal.entry("甲"), "nearly empty": portal.entry("乙", notes=None, theme=None, items=[])},
                approved=False,
            )
        )

    def test_with_tables(self, both: Both):
        both(
            lambda portal: portal.write(
                {"table": portal.entry("甲"), "table and link": portal.entry("乙")},
                tables={"table": [["惠城"]], "table and link": [["博罗"], ["惠东"]]},
                links={"table and link": [LINK]},
            )
        )

    def test_with_many_items(self, both: Both):
        items = [{"name": f"第{n}项", "column": f"c{n}", "data_type": "string", "length": n + 1} for n in range(300)]
        both(lambda portal: portal.write({"many": portal.entry("甲", items=items)}))


class TestChangedEntries:
    def test_field_by_field(self, both: Both):
        def change(**values: Any) -> Callable[[Portal], Any]:
            return lambda portal: portal.write({"a": portal.entry("甲", **values), "b": portal.entry("乙")})

        both(
            change(),
            change(notes="改了"),
            change(tag_string="水质,土壤"),
            change(tag_string="空气,水质"),
            change(tag_string=None),
            change(**EVERYTHING),
            change(open_type="none", open_condition="依据某条例"),
            change(items=[{"name": "别的", "column": "other", "data_type": "integer", "length": 3}]),
            change(category="211001", theme="transport"),
        )

    def test_nothing_new_writes_nothing(self, both: Both):
        def step(portal: Portal) -> Any:
            return portal.write({"a": portal.entry("甲", **EVERYTHING)}, links={"a": [LINK, BARE]})

        _first, again, once_more = both(step, step, step)
        assert once_more["moved"] == []
        assert once_more["activity"] == again["activity"]

    def test_titles(self, both: Both):
        both(
            lambda portal: portal.write({"a": portal.entry("甲"), "b": portal.entry("乙")}),
            lambda portal: portal.write({"a": portal.entry("丙"), "b": portal.entry("乙 ")}),
            lambda portal: portal.write({"a": portal.entry("甲"), "b": portal.entry("丙")}),
        )

    def test_resources(self, both: Both):
        def step(*links: Link) -> Callable[[Portal], Any]:
            return lambda portal: portal.write({"a": portal.entry("甲")}, links={"a": links})

        renamed = Link(LINK.url, name="正月", format="xlsx")
        both(step(LINK, BARE), step(BARE), step(renamed, BARE), step(), step(LINK), step(BARE, LINK))

    def test_tables(self, both: Both):
        def step(*rows: str, **values: Any) -> Callable[[Portal], Any]:
            return lambda portal: portal.write(
                {"a": portal.entry("甲", **values)}, tables={"a": [[row] for row in rows]}
            )

        both(step("惠城"), step("惠城"), step("惠城", "博罗", row_count=2), step("惠城", notes="改了"))

    def test_a_draft_is_published_and_a_withdrawn_entry_comes_back(self, both: Both):
        def written(approved: bool) -> Callable[[Portal], Any]:
            return lambda portal: portal.write({"a": portal.entry("甲"), "b": portal.entry("乙")}, approved=approved)

        both(written(False), written(True), lambda portal: portal.withdraw_all_but("b"), written(True), written(True))

    def test_what_a_person_added_stays(self, both: Both):
        def by_hand(portal: Portal) -> Any:
            resources = [{"id": HAND, "url": "http://example.org/hand.csv", "name": "手工", "more": "其他"}]
            portal.patch("a", resources=resources, contact_name="张三科", extras=[{"key": "free", "value": "自由"}])
            return "by hand"

        def step(notes: str) -> Callable[[Portal], Any]:
            return lambda portal: portal.write({"a": portal.entry("甲", notes=notes)}, links={"a": [LINK]})

        both(step("一"), by_hand, step("二"), step("三"))
