"""The example of the API page does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ckanapi import LocalCKAN

from .conftest import TOKEN, City, Service

PAGE = Path(__file__).parents[4] / "docs" / "api.md"
EXAMPLE = re.compile(r"<!-- runs in tests -->\n```python\n(.*?)```", re.DOTALL)


class TestApiPage:
    def test_an_editor_makes_a_source(self, city: City, service: Service):
        service.add("A-1", "A-2")
        [text] = EXAMPLE.findall(PAGE.read_text("utf-8"))
        text = text.replace("https://data.example.gov.cn", service.web.url).replace("SECRET", TOKEN)
        text = re.sub(r"RemoteCKAN\(.*\)", "LocalCKAN(username=editor)", text)
        found: dict[str, Any] = {"LocalCKAN": LocalCKAN, "editor": city.people["editor"]}
        exec(compile(text, str(PAGE), "exec"), found)
        assert "json-api" in found["kinds"]
        assert (found["tested"]["ok"], found["tested"]["found"]["key"]) == (True, "A-1")
        assert [record["key"] for record in found["seen"]["records"]] == ["A-1", "A-2"]
        assert found["source"]["secrets"] == ["token"]
        assert (found["run"]["mode"], found["run"]["state"]) == ("dry", "queued")
