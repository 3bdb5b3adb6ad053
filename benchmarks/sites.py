"""CKAN sites for a benchmark: side by side on one stack's PostgreSQL, Solr and Valkey, apart in everything else.

Two sites differ in databases, ``site_id``, number of the Redis database, ``SECRET_KEY`` and folder.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from ckanext.openhuizhou.stack import databases, ini, solr, valkey
from ckanext.openhuizhou.stack.layout import Layout
from ckanext.openhuizhou.stack.ports import HOST, find_free
from ckanext.openhuizhou.stack.services import Stack
from ckanext.openhuizhou.stack.shutdown import stop_all

PROJECT = Path(__file__).parents[1]
DRIVERS = Path(__file__).parent / "drivers"


def say(text: str) -> None:
    print(f"  {text}", flush=True)


@contextmanager
def services() -> Iterator[Stack]:
    """PostgreSQL, Solr and Valkey in ``var/bench``, stopped afterwards."""
    layout = Layout(PROJECT, PROJECT / "var" / "bench", 0)
    with layout.locked():
        stack = Stack(layout, say)
        try:
            stack.start_services()
            yield stack
        finally:
            stop_all(layout, say)


@dataclass
class Site:
    """An empty CKAN site. ``number`` tells it from the others; ``python`` is of the environment that it runs in."""

    stack: Stack
    name: str
    number: int
    python: Path = Path(sys.executable)
    changes: Mapping[str, str] = field(default_factory=dict)
    config_dir: Path = PROJECT / "config"

    def __post_init__(self) -> None:
        self.folder = self.stack.layout.data / self.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ini = self.folder / "ckan.ini"
        self.port = find_free()
        self.url = f"http://{HOST}:{self.port}"

    def create(self) -> None:
        """Fresh databases and an empty part of the index, migrated."""
        postgres, passwords = self.stack.port("postgres"), self.stack.secrets
        names = [f"bench_{self.name}", f"bench_{self.name}_tables"]
        superuser = psycopg2.connect(
            host=HOST, port=postgres, user="postgres", password=passwords["postgres_superuser"], dbname="postgres"
        )
        superuser.autocommit = True
        with superuser.cursor() as cursor:
            for name in names:
                cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
                databases.ensure_database(cursor, name, databases.CKAN_ROLE)
        superuser.close()
        urls = [databases.url(databases.CKAN_ROLE, passwords["ckan_database"], postgres, name) for name in names]
        reader = databases.url(databases.READER_ROLE, passwords["datastore_reader"], postgres, names[1])
        self._write_ini(urls[0], urls[1], reader)
        self.ckan("db", "upgrade", "--skip-plugins")
        statements = self.ckan("datastore", "set-permissions")
        script = "\n".join(line for line in statements.splitlines() if not line.startswith("\\"))
        with psycopg2.connect(urls[1]) as connection, connection.cursor() as cursor:
            cursor.execute(script)
        self.ckan("db", "upgrade", "--skip-core")
        self.ckan("search-index", "clear")

    def _write_ini(self, database: str, write: str, read: str) -> None:
        redis = valkey.url(self.stack.port("valkey"), self.stack.secrets["valkey"])
        own = {
            "SECRET_KEY": secrets.token_urlsafe(32),
            "sqlalchemy.url": database,
            "ckan.datastore.write_url": write,
            "ckan.datastore.read_url": read,
            "ckan.redis.url": f"{redis.rpartition('/')[0]}/{self.number}",
            "solr_url": solr.url(self.stack.port("solr")),
            "ckan.site_url": self.url,
            "ckan.site_id": f"bench-{self.name}",
            "ckan.storage_path": str(self.folder / "storage"),
            "ckanext.openhuizhou.config_dir": str(self.config_dir),
            **self.changes,
        }
        self.ini.write_text(ini.render(str(PROJECT / "config" / "ckan.ini"), own), "utf-8")
        self.ini.chmod(0o600)

    def ckan(self, *arguments: str) -> str:
        return self._run([str(self.python.with_name("ckan")), "-c", str(self.ini), *arguments])

    def drive(self, driver: str, *arguments: str) -> dict[str, Any]:
        """Run ``drivers/<driver>.py`` inside this site; the last line that it prints is a JSON object."""
        printed = self._run([str(self.python), str(DRIVERS / f"{driver}.py"), *arguments])
        return json.loads(printed.strip().splitlines()[-1])

    def _run(self, command: list[str]) -> str:
        environment = {**os.environ, "CKAN_INI": str(self.ini), "PYTHONWARNINGS": "ignore"}
        done = subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command[:4])}… ended with {done.returncode}\n{done.stderr[-3000:]}")
        return done.stdout

    @contextmanager
    def serving(self) -> Iterator[str]:
        """gunicorn with one process and four threads; yields the address."""
        command = [str(self.python), "-m", "gunicorn", "--bind", f"{HOST}:{self.port}", "--worker-class", "gthread"]
        command += ["--threads", "4", "--no-control-socket", "ckanext.openhuizhou.stack.wsgi:application"]
        environment = {**os.environ, "CKAN_INI": str(self.ini), "PYTHONWARNINGS": "ignore"}
        with (self.folder / "web.log").open("w") as log:
            server = subprocess.Popen(command, env=environment, cwd=self.folder, stdout=log, stderr=log)
        try:
            wait_for(f"{self.url}/api/3/action/status_show", server, self.folder / "web.log")
            yield self.url
        finally:
            server.terminate()
            server.wait(30)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until the server answers.

    Raises:
        RuntimeError: it ended instead.
    """
    refused = retry_if_exception_type((urllib.error.URLError, OSError))
    for attempt in Retrying(retry=refused, wait=wait_fixed(0.2), stop=stop_after_delay(90), reraise=True):
        with attempt:
            if server.poll() is not None:
                raise RuntimeError(f"the server ended\n{log.read_text('utf-8')[-2000:]}")
            with urllib.request.urlopen(url, timeout=30) as answer:
                answer.read()


def bare_config(folder: Path) -> Path:
    """The city's data without its sources, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in (PROJECT / "config").iterdir():
        link = folder / path.name
        if path.name != "sources" and not link.is_symlink():
            link.symlink_to(path)
    (folder / "sources").mkdir(exist_ok=True)
    return folder


def prepare(site: Site) -> None:
    """An empty, seeded site."""
    say(f"making the site {site.name}")
    site.create()
    site.ckan("openhuizhou", "seed", "--credentials", str(site.folder / "credentials.json"))
