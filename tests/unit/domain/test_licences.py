from __future__ import annotations

from pathlib import Path

import pytest

from ckanext.openhuizhou.domain.licences import Licence, read_licences
from ckanext.openhuizhou.errors import ConfigurationError

CONFIG = Path(__file__).parents[3] / "config" / "licences.yaml"
GOOD = "licences:\n- {id: a, title: {zh: 甲, en: A}, url: /licence, open: approved}\n"


def read(tmp_path: Path, text: str) -> tuple[Licence, ...]:
    path = tmp_path / "licences.yaml"
    path.write_text(text, encoding="utf-8")
    return read_licences(path)


class TestCityFile:
    def test_says_of_its_own_terms_that_they_are_a_draft_and_not_reviewed(self) -> None:
        ours = [licence for licence in read_licences(CONFIG) if licence.url == "/licence"]
        assert [(licence.id, licence.conformance) for licence in ours] == [("huizhou-open", "not reviewed")]
        assert "草案" in ours[0].title["zh"]
        assert "draft" in ours[0].title["en"]


class TestReadLicences:
    def test_a_page_of_the_portal_gets_the_address_of_the_site(self, tmp_path: Path) -> None:
        (licence,) = read(tmp_path, GOOD)
        assert licence.ckan("https://data.example.cn")["url"] == "https://data.example.cn/licence"
        assert licence.ckan("https://data.example.cn")["title"] == "甲"

    def test_another_sites_address_stays(self, tmp_path: Path) -> None:
        (licence,) = read(tmp_path, GOOD.replace("/licence", "https://example.org/x"))
        assert licence.ckan("https://data.example.cn")["url"] == "https://example.org/x"

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            (GOOD.replace("en: A", "fr: A"), "en"),
            (GOOD.replace("url: /licence, ", ""), "url"),
            (GOOD.replace("approved", "yes"), "approved"),
            (GOOD + GOOD.partition("\n")[2], "a"),
            ("licences: [x]", "licences.yaml"),
            ("licences: {", "licences.yaml"),
        ],
    )
    def test_a_wrong_file_is_refused_with_the_place(self, tmp_path: Path, text: str, named: str) -> None:
        with pytest.raises(ConfigurationError) as error:
            read(tmp_path, text)
        assert named in str(error.value)
