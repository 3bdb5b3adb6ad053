from __future__ import annotations

from pathlib import Path

import pytest

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.transport.variables import Variables, without_secrets

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


class TestWithoutSecrets:
    def test_are_taken_out_at_any_depth(self):
        config = {
            "key": "id",
            "token": "${huanbaoju.token}",
            "token_header": "X-Token",
            "post": {"key": "s3cret-1", "apiKey": "s3cret-2", "size": 3, "more": [{"app_secret": "s3cret-3"}]},
            "data": {"password": ["s3cret-4"], "pin_token": 53271},
        }
        shown = without_secrets(config)
        assert "s3cret" not in str(shown)
        assert "53271" not in str(shown)
        assert shown["key"] == "id"
        assert shown["token"] == "${huanbaoju.token}"
        assert shown["token_header"] == "X-Token"
        assert shown["post"]["size"] == 3

    @pytest.mark.parametrize(
        ("address", "shown"),
        [
            ("http://user:s3cret@host/list?page=1", "http://user:***@host/list?page=1"),
            ("http://user:s3@cret@host/", "http://user:***@host/"),
            ("http://host/list?key=s3cret&page=1", "http://host/list?key=***&page=1"),
            ("http://host/list?page=1&access_token=s3cret#top", "http://host/list?page=1&access_token=***#top"),
            ("http://user:${a.password}@host/?key=${a.key}", "http://user:${a.password}@host/?key=${a.key}"),
            ("${a.url}/list?page=1", "${a.url}/list?page=1"),
        ],
    )
    def test_are_taken_out_of_addresses(self, address: str, shown: str):
        assert without_secrets({"url": address, "data": {"url": [address]}}) == {"url": shown, "data": {"url": [shown]}}
