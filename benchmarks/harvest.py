"""Our engine against ckanext-harvest on the same remote CKAN, both on the same PostgreSQL, Solr and Valkey."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks import growth
from benchmarks.results import Result, rate
from benchmarks.sites import PROJECT, Site, bare_config, prepare, say, services

COUNT = int(os.environ.get("BENCH_DATASETS", "1000"))
#: Wanted: ten times the datasets of ckanext-harvest in a second.
FIRST_BAR = 10
ENVIRONMENT = PROJECT / "var" / "bench-venv"
PLUGINS = "openhuizhou activity datastore scheming_datasets scheming_organizations"
SOURCE = "bench-remote"


def measure() -> list[Result]:
    """A remote CKAN, ours and ckanext-harvest 1.6.3, first and unchanged; then how ours grows with the source."""
    python = baseline_environment()
    with services() as stack:
        config = bare_config(stack.layout.data / "config")
        remote = Site(stack, "remote", 2, config_dir=config)
        prepare(remote)
        say(f"filling the remote CKAN with {COUNT} datasets of 2 resources")
        remote.drive("fill_remote", str(COUNT))
        with remote.serving() as url:
            plugins = {"ckan.plugins": f"ckan_harvester harvest {PLUGINS}"}
            baseline = measure_baseline(Site(stack, "baseline", 3, python, plugins, config), url)
            entries = measure_ours(our_site(stack, "entries", 4, url, tables=False), "entries with two links")
            tables = measure_ours(our_site(stack, "tables", 5, url, tables=True), "entries with a table and a link")
        grown = growth.measure(stack)
    return [
        rate("first harvest: entries with two links", entries[0], "datasets/s", baseline["first"], FIRST_BAR),
        rate("first harvest: also a table each (baseline: links)", tables[0], "datasets/s", baseline["first"]),
        rate("unchanged: every record asked of CKAN", entries[1], "records/s", baseline["all"]),
        *grown,
    ]


def baseline_environment() -> Path:
    """The Python of an environment with CKAN, our schema and ckanext-harvest, apart from the project's own."""
    python, ready = ENVIRONMENT / "bin" / "python", ENVIRONMENT / ".ready"
    wanted = hashlib.sha256((PROJECT / "requirements.lock").read_bytes()).hexdigest()
    if not ready.exists() or ready.read_text() != wanted:
        say("making the environment of ckanext-harvest")
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(python), "--constraint", "requirements.lock"]
        subprocess.run([*install, "--editable", ".", "ckanext-harvest==1.6.3"], cwd=PROJECT, check=True)
        ready.write_text(wanted)
    return python


def measure_baseline(site: Site, url: str) -> dict[str, float]:
    """Datasets per second: first, and unchanged with every record read."""
    prepare(site)
    say("ckanext-harvest: first harvest")
    first = site.drive("baseline", url)
    if first["outcomes"] != {"COMPLETE added": COUNT}:
        raise RuntimeError(f"ckanext-harvest did not add {COUNT}: {first}")
    say("ckanext-harvest: unchanged")
    every = site.drive("baseline", url, json.dumps({"force_all": True}))
    if sum(every["outcomes"].values()) != COUNT:
        raise RuntimeError(f"ckanext-harvest did not read {COUNT}: {every}")
    say(f"{COUNT} in {first['seconds']:.1f} s, then {every['seconds']:.2f} s")
    return {kind: COUNT / run["seconds"] for kind, run in (("first", first), ("all", every))}


def our_site(stack: Any, name: str, number: int, url: str, *, tables: bool) -> Site:
    """A site whose only source is the remote CKAN, read as JSON."""
    config = bare_config(stack.layout.data / name / "config")
    source = config / "sources" / "bench" / "remote.yaml"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(yaml.safe_dump(source_of(url, tables=tables), allow_unicode=True), "utf-8")
    host = url.removeprefix("http://")
    return Site(stack, name, number, changes={"ckanext.openhuizhou.allowed_hosts": host}, config_dir=config)


def source_of(url: str, *, tables: bool) -> dict[str, Any]:
    """The remote CKAN as its YAML file says it: entries with two links each, or with a table and a link."""
    same = ["title", "notes", "category", "theme", "open_type", "share_type", "share_way", "format_class"]
    return {
        "source": {
            "name": SOURCE,
            "title": "另一个门户",
            "organization": "huanbaoju",
            "kind": "ckan",
            "approved": True,
            "config": {"url": url, "tables": tables},
        },
        "mapping": {
            "fields": {
                **{name: {"from": name} for name in [*same, "update_cycle", "contact_name"]},
                "tag_string": {"from": "tags"},
                "demo": {"from": "demo"},
            },
            "items": {
                "from": "items",
                "cell": {"from": "column"},
                **{name: {"from": name} for name in ("name", "column", "data_type", "is_key")},
            },
        },
    }


def measure_ours(site: Site, what: str) -> tuple[float, float]:
    """Datasets per second of the first harvest, records per second of the next."""
    prepare(site)
    say(f"our engine: {what}")
    first, again = site.drive("ours", SOURCE), site.drive("ours", SOURCE)
    if (first["state"], first["added"]) != ("done", COUNT):
        raise RuntimeError(f"our engine did not add {COUNT}: {first}")
    if (again["state"], again["unchanged"]) != ("done", COUNT):
        raise RuntimeError(f"our engine did not find {COUNT} unchanged: {again}")
    say(f"{COUNT} in {first['seconds']:.1f} s, then {again['seconds']:.2f} s")
    return COUNT / first["seconds"], COUNT / again["seconds"]
