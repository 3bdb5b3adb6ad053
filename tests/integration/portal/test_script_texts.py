"""The scripts of a page in Chinese find their texts."""

from __future__ import annotations

from typing import Any


class TestScriptTexts:
    def test_the_address_that_ckans_script_makes_of_our_language_is_answered(self, portal: Any) -> None:
        asked = portal.app.get("/api/i18n/zh_Hans-CN")
        assert asked.status_code == 200
        assert asked.json == portal.app.get("/api/i18n/zh_Hans_CN").json
        assert asked.json

    def test_a_language_that_the_site_does_not_have_is_refused(self, portal: Any) -> None:
        assert portal.app.get("/api/i18n/zh_Hant-TW").status_code == 400
