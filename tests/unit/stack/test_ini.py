"""The ini of a stack."""

from __future__ import annotations

import stat
from configparser import ConfigParser
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from ckanext.openhuizhou.stack import ini
from ckanext.openhuizhou.stack.layout import Layout, Secrets, project_root

PORTS = {"postgres": 1001, "valkey": 1002, "solr": 1003}


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(project_root(), tmp_path, 5999)


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return Secrets(tmp_path / "secrets.json")


def read(path: Path) -> ConfigParser:
    parser = ConfigParser()
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    parser.read(path, encoding="utf-8")
    return parser


class TestOptions:
    def test_addresses_hold_the_ports(self, layout: Layout, secrets: Secrets):
        own = ini.options(layout, secrets, PORTS)
        assert own["sqlalchemy.url"].endswith("@127.0.0.1:1001/ckan")
        assert own["ckan.datastore.write_url"].endswith("@127.0.0.1:1001/datastore")
        assert own["ckan.redis.url"].endswith("@127.0.0.1:1002/0")
        assert own["solr_url"] == "http://127.0.0.1:1003/solr/openhuizhou"
        assert own["ckan.site_url"] == "http://127.0.0.1:5999"

    def test_the_reader_of_the_datastore_is_not_its_writer(self, layout: Layout, secrets: Secrets):
        own = ini.options(layout, secrets, PORTS)
        assert own["ckan.datastore.read_url"].startswith("postgresql://datastore_reader:")
        assert secrets["ckan_database"] not in own["ckan.datastore.read_url"]

    def test_the_key_for_the_sources_secrets_is_one(self, layout: Layout, secrets: Secrets):
        own = ini.options(layout, secrets, PORTS)["ckanext.openhuizhou.secret_keys"]
        key = Fernet(own)
        assert key.decrypt(key.encrypt(b"demo")) == b"demo"
        assert ini.options(layout, secrets, PORTS)["ckanext.openhuizhou.secret_keys"] == own

    def test_two_stacks_differ_in_site_and_secret(self, layout: Layout, secrets: Secrets, tmp_path: Path):
        other = Layout(layout.project, tmp_path / "other", 5998)
        theirs = ini.options(other, Secrets(tmp_path / "other" / "secrets.json"), PORTS)
        own = ini.options(layout, secrets, PORTS)
        for name in (
            "ckan.site_id",
            "SECRET_KEY",
            "ckanext.openhuizhou.secret_keys",
            "api_token.jwt.encode.secret",
            "ckan.storage_path",
        ):
            assert own[name] != theirs[name], name


class TestWrite:
    def test_only_the_owner_reads_it_and_it_builds_on_the_settings(self, layout: Layout, secrets: Secrets):
        ini.write(layout, ini.options(layout, secrets, PORTS, ["127.0.0.1:7"], ["/drop"]))
        assert stat.S_IMODE(layout.ini.stat().st_mode) == 0o600
        section = read(layout.ini)[ini.SECTION]
        assert section["use"] == f"config:{layout.config / 'ckan.ini'}"
        assert section["ckanext.openhuizhou.allowed_hosts"] == "127.0.0.1:7"
        assert section["ckanext.openhuizhou.allowed_roots"] == "/drop"

    def test_an_operator_names_more_hosts(self, layout: Layout, secrets: Secrets, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("OPENHUIZHOU_ALLOWED_HOSTS", "10.1.2.3:80 10.1.2.4:5432")
        own = ini.options(layout, secrets, PORTS, ["127.0.0.1:7"])
        assert own["ckanext.openhuizhou.allowed_hosts"] == "127.0.0.1:7 10.1.2.3:80 10.1.2.4:5432"

    def test_the_settings_of_tests_build_on_it(self, layout: Layout, secrets: Secrets):
        ini.write(layout, ini.options(layout, secrets, PORTS))
        section = read(layout.data / "test.ini")[ini.SECTION]
        assert section["use"] == "config:ckan.ini"
        assert section["testing"] == "true"


def test_a_percent_sign_survives(tmp_path: Path):
    path = tmp_path / "x.ini"
    path.write_text(ini.render("base.ini", {"ckan.storage_path": "/a%20b"}), encoding="utf-8")
    assert read(path)[ini.SECTION]["ckan.storage_path"] == "/a%20b"


def test_no_secret_and_no_address_is_in_the_committed_settings():
    section = read(project_root() / "config" / "ckan.ini")[ini.SECTION]
    forbidden = {"SECRET_KEY", "sqlalchemy.url", "ckan.datastore.write_url", "ckan.redis.url", "solr_url"}
    assert not forbidden & set(section)
