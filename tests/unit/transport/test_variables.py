from __future__ import annotations

from pathlib import Path

import pytest

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.transport.variables import Variables

VALUES = {
    "huanbaoju.url": "http://127.0.0.1:8001",
    "huanbaoju.token": "s3cret-token",
    "rensheju.dsn": "postgresql://front:p%40ssword@127.0.0.1:5433/front",
}


class TestVariables:
    def test_are_filled_in_at_any_depth(self):
        config = {"url": "${huanbaoju.url}/catalog", "data": {"list": ["${huanbaoju.token}", 3]}}
        assert Variables(VALUES).expand(config) == {
            "url": "http://127.0.0.1:8001/catalog",
            "data": {"list": ["s3cret-token", 3]},
        }

    def test_an_unknown_one_is_named(self):
        with pytest.raises(ConfigurationError, match=r"\$\{anjianju.url\}"):
            Variables(VALUES).expand("${anjianju.url}")

    def test_secrets_are_taken_out_of_texts(self):
        variables = Variables(VALUES)
        said = "GET http://127.0.0.1:8001/?key=s3cret-token as front:p%40ssword or p@ssword"
        shown = variables.redact(said)
        assert "s3cret" not in shown
        assert "ssword" not in shown
        assert "http://127.0.0.1:8001/" in shown
        assert variables.redact_all({"a": ["s3cret-token"]}) == {"a": ["***"]}

    def test_a_damaged_file_stops_the_run_with_its_name(self, tmp_path: Path):
        path = tmp_path / "source_variables.json"
        path.write_text("{")
        with pytest.raises(ConfigurationError, match=r"source_variables\.json"):
            Variables.load(path)

    def test_no_file_means_no_variables(self, tmp_path: Path):
        assert Variables.load(tmp_path / "none.json").expand("plain") == "plain"
