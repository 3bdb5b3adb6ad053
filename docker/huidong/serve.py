"""Start 惠东县's portal: ``serve.py --data FOLDER --host HOST --port PORT``. It is filled when it is empty.

Addresses and secrets come from the environment: SITE_DATABASE, SITE_DATASTORE_WRITE, SITE_DATASTORE_READ, SITE_SOLR,
SITE_REDIS, SITE_SECRET. The databases and the core ``huidong`` are there already; tables and data are made here.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
OPTIONS = {
    "sqlalchemy.url": "SITE_DATABASE",
    "ckan.datastore.write_url": "SITE_DATASTORE_WRITE",
    "ckan.datastore.read_url": "SITE_DATASTORE_READ",
    "solr_url": "SITE_SOLR",
    "ckan.redis.url": "SITE_REDIS",
    "SECRET_KEY": "SITE_SECRET",
}


def write_ini(folder: Path, url: str) -> Path:
    """The site's ini, readable by its owner only; ``%`` is doubled as ini files want it."""
    storage = folder / "storage"
    storage.mkdir(parents=True, exist_ok=True)
    own = {name: os.environ[variable] for name, variable in OPTIONS.items()}
    own |= {"ckan.site_url": url, "ckan.storage_path": str(storage)}
    lines = ["[app:main]", f"use = config:{HERE / 'ckan.ini'}"]
    lines += [f"{name} = {value.replace('%', '%%')}" for name, value in own.items()]
    path = folder / "ckan.ini"
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def main() -> None:
    """Fill the portal in a process that ends, then become its web server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--site-url", help="where people find it; the host and port by default")
    arguments = parser.parse_args()
    ini = write_ini(arguments.data, arguments.site_url or f"http://{arguments.host}:{arguments.port}")
    environment = {**os.environ, "CKAN_INI": str(ini), "PYTHONWARNINGS": "ignore"}
    subprocess.run([sys.executable, str(HERE / "fill.py")], env=environment, check=True)
    server = ["-m", "gunicorn", "--bind", f"{arguments.host}:{arguments.port}", "--workers", "1"]
    server += ["--worker-class", "gthread", "--threads", "4", "--timeout", "60", "--log-level", "warning"]
    server += ["--no-control-socket", "--chdir", str(HERE), "wsgi:application"]
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *server], environment)


if __name__ == "__main__":
    main()
