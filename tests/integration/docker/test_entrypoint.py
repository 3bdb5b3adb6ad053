"""The containers' scripts, run natively against the stack's services in databases of their own.

What a container engine adds (images, networks, mounts) is not tested here: docs/operations.md says so.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import ckan.plugins.toolkit as tk
import psycopg2
import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from ckanext.openhuizhou.stack.layout import read_json
from ckanext.openhuizhou.stack.ports import find_free

BIN = Path(__file__).parents[3] / "docker" / "ckan"
START_SECONDS = 120


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What compose.yaml gives to a container, with the addresses of the running stack."""
    folder = tmp_path_factory.mktemp("container")
    stack = read_json(Path(tk.config["__file__"]).parent / "secrets.json")
    for name in ("postgres_superuser", "valkey"):
        (folder / name).write_text(stack[name] + "\n")
    for name in ("ckan_database", "datastore_reader"):
        (folder / name).write_text(f"{name}-with-enough-letters\n")
    for name in ("secret_key", "jwt_secret"):
        (folder / name).write_text(f"{name}-with-%-and-@-and-enough-letters\n")
    (folder / "source_secrets").write_text(stack["source_secrets"] + "=\n")
    names = [path.name for path in folder.iterdir()]
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "CKAN_INI": str(folder / "run" / "ckan.ini"),
        "OPENHUIZHOU_CONFIG_DIR": tk.config["ckanext.openhuizhou.config_dir"],
        "POSTGRES_ADDRESS": urlsplit(tk.config["sqlalchemy.url"]).netloc.rpartition("@")[2],
        "VALKEY_ADDRESS": urlsplit(tk.config["ckan.redis.url"]).netloc.rpartition("@")[2],
        "VALKEY_DATABASE": "7",
        "SOLR_URL": tk.config["solr_url"],
        "CKAN_DATABASE_NAME": "container_ckan",
        "DATASTORE_DATABASE_NAME": "container_datastore",
        "SITE_ID": "container",
        "STORAGE_PATH": str(folder / "storage"),
        "BIND": f"127.0.0.1:{find_free()}",
        "WEB_WORKERS": "1",
        **{f"{name.upper()}_FILE": str(folder / name) for name in names},
    }


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "entrypoint.sh", *arguments], env=environment, capture_output=True, text=True, check=False
    )


@contextmanager
def running(environment: dict[str, str], role: str) -> Iterator[subprocess.Popen[bytes]]:
    """A lasting role, until its own health check passes; ended as Docker ends it."""
    process = subprocess.Popen([BIN / "entrypoint.sh", role], env=environment)
    try:
        for attempt in Retrying(stop=stop_after_delay(START_SECONDS), wait=wait_fixed(0.5), reraise=True):
            with attempt:
                assert process.poll() is None, "ended before it was healthy"
                subprocess.run([sys.executable, BIN / "healthcheck.py", role], env=environment, check=True)
        yield process
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def prepared(environment: dict[str, str]) -> dict[str, str]:
    done = run(environment, "prepare")
    assert done.returncode == 0, done.stderr
    return environment


class TestPrepare:
    def test_writes_an_ini_that_only_its_owner_reads(self, prepared: dict[str, str]):
        ini = Path(prepared["CKAN_INI"])
        assert stat.S_IMODE(ini.stat().st_mode) == 0o600
        assert "${" not in ini.read_text("utf-8")

    def test_can_be_repeated(self, prepared: dict[str, str]):
        done = run(prepared, "prepare")
        assert done.returncode == 0, done.stderr

    def test_migrates_our_tables_too(self, prepared: dict[str, str]):
        done = run(prepared, "ckan", "db", "pending-migrations")
        assert done.returncode == 0, done.stderr
        assert "openhuizhou" not in done.stdout

    def test_the_reader_reads_the_datastore_and_nothing_else(self, prepared: dict[str, str]):
        password = Path(prepared["DATASTORE_READER_FILE"]).read_text().strip()
        host, port = prepared["POSTGRES_ADDRESS"].split(":")
        reader = {"host": host, "port": port, "user": "container_datastore_reader", "password": password}
        with psycopg2.connect(**reader, dbname="container_datastore") as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM _table_metadata")
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute("CREATE TABLE mine (id int)")
        with pytest.raises(psycopg2.OperationalError, match="permission denied"):
            psycopg2.connect(**reader, dbname="container_ckan")


class TestRoles:
    def test_web_answers_the_api(self, prepared: dict[str, str]):
        with (
            running(prepared, "web") as process,
            urllib.request.urlopen(f"http://{prepared['BIND']}/api/3/action/status_show", timeout=30) as answer,
        ):
            assert "openhuizhou" in json.load(answer)["result"]["extensions"]
            assert process.poll() is None

    def test_worker_tells_that_it_lives_and_ends_when_asked(self, prepared: dict[str, str]):
        with running(prepared, "worker") as process:
            assert process.poll() is None
        assert process.returncode == 0

    def test_a_site_may_add_options_of_its_own(self, prepared: dict[str, str], tmp_path: Path):
        own = tmp_path / "site.ini"
        own.write_text("[app:main]\nckan.site_title = 测试站\n", "utf-8")
        changed = {**prepared, "SITE_INI": str(own), "CKAN_INI": str(tmp_path / "ckan.ini")}
        done = run(changed, "ckan", "config", "declaration", "--core")
        assert done.returncode == 0, done.stderr
        assert "ckan.site_title = 测试站" in (tmp_path / "ckan.ini").read_text("utf-8")

    @pytest.mark.parametrize(("url", "secure"), [("https://data.example.org", True), ("http://localhost:8080", False)])
    def test_cookies_of_a_site_with_tls_stay_off_plain_http(
        self, prepared: dict[str, str], tmp_path: Path, url: str, secure: bool
    ):
        ini = tmp_path / "ckan.ini"
        program = "from werkzeug.test import Client\nfrom ckanext.openhuizhou.stack.wsgi import application\n"
        program += f"print(Client(application).get('/user/login', base_url={url!r}).headers['Set-Cookie'])"
        done = run({**prepared, "SITE_URL": url, "CKAN_INI": str(ini)}, "python", "-c", program)
        assert done.returncode == 0, done.stderr
        assert ("Secure" in done.stdout.splitlines()[-1].split("; ")) is secure
        assert f"REMEMBER_COOKIE_SECURE = {str(secure).lower()}" in ini.read_text("utf-8")


class TestFailures:
    def test_a_missing_secret_is_named(self, environment: dict[str, str]):
        without = {name: value for name, value in environment.items() if name != "JWT_SECRET_FILE"}
        done = run(without, "prepare")
        assert done.returncode != 0
        assert "Secret jwt_secret is missing" in done.stderr

    def test_a_database_password_that_the_migrations_cannot_take_is_refused(self, environment: dict[str, str]):
        done = run({**environment, "CKAN_DATABASE_FILE": "/nowhere", "CKAN_DATABASE": "per%cent"}, "prepare")
        assert done.returncode != 0
        assert "letters, digits" in done.stderr
        assert "per%cent" not in done.stderr

    def test_a_dead_service_is_named_without_its_password(self, environment: dict[str, str]):
        dead = {**environment, "VALKEY_ADDRESS": f"127.0.0.1:{find_free()}", "WAIT_SECONDS": "1"}
        done = run(dead, "prepare")
        assert done.returncode != 0
        assert "Valkey did not answer within 1 s" in done.stderr
        assert Path(environment["VALKEY_FILE"]).read_text().strip() not in done.stderr
