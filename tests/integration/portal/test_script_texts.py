"""The scripts of a page in Chinese find their texts."""

from __future__ import annotations

import pytest


@pytest.mark.usefixtures("with_plugins")
class TestScriptTexts:
    def test_the_address_that_ckans_script_makes_of_our_language_is_answered(self, app):
        asked = app.get("/api/i18n/zh_Hans-CN")
        assert asked.status_code == 200
        assert asked.json == app.get("/api/i18n/zh_Hans_CN").json
        assert asked.json

    def test_a_language_that_the_site_does_not_have_is_refused(self, app):
        assert app.get("/api/i18n/zh_Hant-TW").status_code == 400
