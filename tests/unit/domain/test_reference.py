"""The city's own files are right, and a wrong one stops the program with its name and place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ckanext.openhuizhou.domain.credit_code import is_credit_code
from ckanext.openhuizhou.domain.reference import Reference, read_reference
from ckanext.openhuizhou.errors import ConfigurationError

CONFIG = Path(__file__).parents[3] / "config"
FIVE = {
    "huanbaoju": "惠州市环境保护局",
    "anjianju": "惠州市安全生产监督管理局",
    "rensheju": "惠州市人力资源和社会保障局",
    "minzhengju": "惠州市民政局",
    "jiaotongju": "惠州市交通运输局",
}
COUNTIES = ["huicheng", "huiyang", "huidong", "boluo", "longmen", "dayawan", "zhongkai"]


@pytest.fixture(scope="module")
def reference() -> Reference:
    return read_reference(CONFIG)


class TestDirectory:
    def test_has_the_city_about_35_bodies_and_seven_counties_and_zones(self, reference: Reference):
        levels = [department.level for department in reference.directory if department.parent]
        assert 35 <= levels.count("city") <= 45
        assert [department.slug for department in reference.directory if department.level != "city"] == COUNTIES
        assert (levels.count("county"), levels.count("zone")) == (5, 2)
        assert all(department.parent in {None, "huizhou"} for department in reference.directory)

    @pytest.mark.parametrize(("slug", "title"), FIVE.items())
    def test_knows_the_departments_of_the_first_target(self, reference: Reference, slug: str, title: str):
        department = reference.directory.get(slug)
        assert department is not None
        assert department.title == title

    @pytest.mark.parametrize(
        "name",
        [
            "市政府办公室", "市审计局", "市经济和信息化局", "市财政局", "市委机要局", "市网信办", "市编办",
            "市发展改革局", "市环保局", "市安全监管局", "市人力资源和社会保障局", "市民政局", "市交通运输局",
        ],
    )  # fmt: skip
    def test_calls_every_body_by_the_plans_own_name(self, reference: Reference, name: str):
        assert name in {department.short_name for department in reference.directory}

    def test_gives_each_a_made_up_credit_code_of_its_own(self, reference: Reference):
        codes = [department.credit_code for department in reference.directory]
        assert all(map(is_credit_code, codes))
        assert len(set(codes)) == len(codes)

    def test_says_which_region_codes_are_the_platforms_own(self, reference: Reference):
        own = {region.label["zh"] for region in reference.directory.regions.values() if region.source == "platform"}
        assert own == {"大亚湾开发区", "仲恺高新区"}


class TestThemes:
    def test_are_the_plans_23_in_its_order(self, reference: Reference):
        assert [len(each.themes) for each in reference.themes.lists] == [11, 12]
        names = [theme.label["zh"] for theme in reference.themes]
        assert names[0] == "企业监管"
        assert names[10] == "公共资源交易项目立项与核准"
        assert names[11] == "交通运输"
        assert names[-1] == "地理空间"


class TestClassification:
    @pytest.mark.parametrize(
        ("code", "path"),
        [
            ("203004", ["主题信息资源", "社会保障", "养老服务"]),
            ("211002", ["主题信息资源", "生态环保", "污染源监管"]),
            ("101001", ["基础信息资源", "人口", "综合"]),
            ("313001", ["部门信息资源", "市环保局", "综合"]),
        ],
    )
    def test_leads_from_the_class_down(self, reference: Reference, code: str, path: list[str]):
        assert [node.label["zh"] for node in reference.classification.path(code)] == path

    def test_has_the_guides_five_and_twelve_and_a_branch_for_each_department(self, reference: Reference):
        divisions = [node.code for node in reference.classification if len(node.code) == 3]
        assert [code for code in divisions if code < "300"] == [
            *(f"1{number:02}" for number in range(1, 6)),
            *(f"2{number:02}" for number in range(1, 13)),
        ]
        assert {code for code in divisions if code >= "300"} == {each.node for each in reference.directory}

    def test_files_entries_under_categories_only(self, reference: Reference):
        assert reference.classification.assignable("209001")
        assert not any(map(reference.classification.assignable, ["2", "209", "209999", ""]))

    def test_files_an_entry_without_category_under_its_department(self, reference: Reference):
        assert reference.default_category("huanbaoju") == "313001"
        assert reference.default_category("somebody-else") == "300001"
        assert reference.default_category(None) == "300001"


class TestWrongFiles:
    @pytest.fixture
    def changed(self, tmp_path: Path) -> Callable[[str, str, str], Path]:
        def change(name: str, old: str, new: str) -> Path:
            for file in ("departments.yaml", "themes.yaml", "classification.yaml"):
                shutil.copy(CONFIG / file, tmp_path)
            text = (tmp_path / name).read_text("utf-8")
            assert old in text
            (tmp_path / name).write_text(text.replace(old, new, 1), "utf-8")
            return tmp_path

        return change

    @pytest.mark.parametrize(
        ("name", "old", "new", "says"),
        [
            ("departments.yaml", "slug: shenjiju", "slug: caizhengju", "caizhengju"),
            ("departments.yaml", "short_name: 市审计局", "short_name: 市财政局", "市财政局"),
            ("departments.yaml", 'node: "322"', 'node: "22"', "22"),
            ("departments.yaml", 'region: "441302"', 'region: "441399"', "441399"),
            ("departments.yaml", "title: 惠州市审计局, ", "", "title"),
            ("departments.yaml", "regions:", "region:", "regions"),
            ("themes.yaml", "key: weather", "key: culture", "culture"),
            ("themes.yaml", "{en: Weather services, zh: 气象服务}", "{en: Weather services}", "zh"),
            ("classification.yaml", 'code: "203002"', 'code: "203001"', "203001"),
            ("classification.yaml", 'code: "203002"', 'code: "903002"', "903002"),
            ("classification.yaml", "classes:", "- classes:", "classification.yaml"),
        ],
    )
    def test_are_named_with_the_place(
        self, changed: Callable[[str, str, str], Path], name: str, old: str, new: str, says: str
    ):
        with pytest.raises(ConfigurationError) as caught:
            read_reference(changed(name, old, new))
        assert name in str(caught.value)
        assert says in str(caught.value)

    def test_that_are_missing_are_named(self, tmp_path: Path):
        with pytest.raises(ConfigurationError, match=r"departments\.yaml"):
            read_reference(tmp_path)
