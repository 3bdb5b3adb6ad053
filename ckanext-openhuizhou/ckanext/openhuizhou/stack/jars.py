"""Solr's jars: fetched by name from a lock file with SHA-256, kept in a cache that all stacks share.

``config/solr/jars.lock`` has one line per jar, ``group:artifact:version[:classifier] <sha256>``. What may be fetched is
decided there; jgo fetches single artifacts by their names, nothing is resolved at start.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from ckanext.openhuizhou.errors import StackError

SOLR = "org.apache.solr:solr-core:9.10.1"
LUCENE = ("org.apache.lucene:lucene-analysis-smartcn:9.12.3", "org.apache.lucene:lucene-analysis-icu:9.12.3")
JETTY_RUNNER = "org.eclipse.jetty:jetty-runner:10.0.26"
# a second servlet container, analysers of languages that the catalogue does not speak, and other systems' binaries
LEFT_OUT = re.compile(
    r"^(jetty-server-9|jetty-servlet-api|javax\.servlet-api|jersey-container-jetty|lucene-analysis-(kuromoji|nori)"
    r"|netty-tcnative-boringssl)"
)
WEB_XML = """<?xml version="1.0" encoding="UTF-8"?>
<web-app xmlns="http://xmlns.jcp.org/xml/ns/javaee" version="4.0" metadata-complete="true">
  <listener><listener-class>org.apache.solr.servlet.CoreContainerProvider</listener-class></listener>
  <filter>
    <filter-name>solr</filter-name>
    <filter-class>org.apache.solr.servlet.SolrDispatchFilter</filter-class>
    <async-supported>true</async-supported>
  </filter>
  <filter-mapping><filter-name>solr</filter-name><url-pattern>/*</url-pattern></filter-mapping>
</web-app>
"""


@dataclass(frozen=True)
class LockedJar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @classmethod
    def parse(cls, line: str) -> LockedJar:
        name, _, sha256 = line.strip().partition(" ")
        parts = name.split(":")
        if len(parts) not in (3, 4) or not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise StackError("not a line of a jar lock: {line}", line=line)
        return cls(parts[0], parts[1], parts[2], parts[3] if len(parts) == 4 else "", sha256)

    def __str__(self) -> str:
        name = f"{self.group}:{self.artifact}:{self.version}"
        return f"{name}:{self.classifier} {self.sha256}" if self.classifier else f"{name} {self.sha256}"

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}{'-' + self.classifier if self.classifier else ''}.jar"


@dataclass(frozen=True)
class SolrProgram:
    """What the Java command line needs."""

    runner: Path
    webapp: Path


def read_lock(path: Path) -> list[LockedJar]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [LockedJar.parse(line) for line in lines if line.strip() and not line.startswith("#")]


def digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def prepare(lock: Path, cache: Path, say: Callable[[str], None]) -> SolrProgram:
    """The Solr web application of this lock, from the cache or fetched into it.

    The folder is named by the lock's digest and appears as a whole, so an interrupted or a concurrent start never sees
    half of it.

    :raises StackError: a jar cannot be fetched, or is not the one that the lock names
    """
    target = cache / f"solr-{digest(lock)[:16]}"
    program = SolrProgram(target / "jetty-runner.jar", target / "webapp")
    if target.is_dir():
        return program
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not target.is_dir():
            staging = cache / f".{target.name}"
            shutil.rmtree(staging, ignore_errors=True)
            _fill(read_lock(lock), staging, say)
            staging.rename(target)
    return program


def _fill(jars: list[LockedJar], staging: Path, say: Callable[[str], None]) -> None:
    library = staging / "webapp" / "WEB-INF" / "lib"
    library.mkdir(parents=True)
    (library.parent / "web.xml").write_text(WEB_XML, encoding="utf-8")
    say(f"fetching Solr: {len(jars)} jars")
    with ThreadPoolExecutor(max_workers=8) as pool:
        waiting = {pool.submit(_fetch, jar): jar for jar in jars}
        for count, done in enumerate(as_completed(waiting), start=1):
            jar = waiting[done]
            fetched = done.result()
            is_runner = f"{jar.group}:{jar.artifact}:{jar.version}" == JETTY_RUNNER
            _link(fetched, staging / "jetty-runner.jar" if is_runner else library / jar.filename)
            if count % 25 == 0 or count == len(jars):
                say(f"fetching Solr: {count} of {len(jars)} jars")


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _fetch(jar: LockedJar, tries: int = 4) -> Path:
    """The jar in Maven's local repository; fetched when it is missing there, or when what lies there is damaged."""
    from jgo.maven import MavenContext

    failure: Exception | None = None
    for _ in range(tries):
        artifact = (
            MavenContext(timeout=60)
            .project(jar.group, jar.artifact)
            .at_version(jar.version)
            .artifact(jar.classifier, "jar")
        )
        try:
            path = artifact.resolve()
        except Exception as error:  # noqa: BLE001  jgo raises RuntimeError, requests' errors and OSError alike
            failure = error
            continue
        if digest(path) == jar.sha256:
            return path
        failure = StackError("its SHA-256 is {found}, the lock says {wanted}", found=digest(path), wanted=jar.sha256)
        path.unlink()
    raise StackError("cannot fetch {jar}: {reason}", jar=str(jar).split(" ")[0], reason=failure)


def write_lock(path: Path) -> int:
    """Resolve Solr, its analysers and jetty-runner anew and write their lock. For maintainers, after a version changed.

    :returns: how many jars it names
    """
    from jgo.maven import MavenContext

    context = MavenContext(timeout=60)
    inputs, transitive = context.resolver.resolve([context.create_dependency(name) for name in (SOLR, *LUCENE)])
    # jetty-runner is a fat jar: what its description says it depends on is inside
    artifacts = [context.create_dependency(JETTY_RUNNER).artifact]
    for dependency in [*inputs, *transitive]:
        if dependency.type == "jar" and not LEFT_OUT.match(dependency.artifact.filename):
            artifacts.append(dependency.artifact)
    lines = {str(LockedJar(a.groupId, a.artifactId, a.version, a.classifier, digest(a.resolve()))) for a in artifacts}
    path.write_text("# made by: openhuizhou lock-jars\n" + "\n".join(sorted(lines)) + "\n", encoding="utf-8")
    return len(lines)
