"""The demo departments' systems, as ``docker/departments/departments.yaml`` lists them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ckanext.openhuizhou.errors import ConfigurationError, StackError
from ckanext.openhuizhou.private_file import write_private
from ckanext.openhuizhou.schemas.yaml_file import read_yaml
from ckanext.openhuizhou.stack import process
from ckanext.openhuizhou.stack.layout import Layout
from ckanext.openhuizhou.stack.ports import HOST
from ckanext.openhuizhou.stack.process import Part
from ckanext.openhuizhou.stack.servers import answers

FILE = Path("docker") / "departments" / "departments.yaml"
# the first start generates the data
START_SECONDS = 300.0


@dataclass(frozen=True)
class Department:
    """One entry of the file; its comment there says what each key means."""

    name: str
    organization: str
    title: str
    mode: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    health: str = ""
    database: dict[str, str] | None = None
    site: dict[str, int] | None = None
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.mode not in ("service", "once"):
            raise ConfigurationError("department {name}: mode {mode} is unknown", name=self.name, mode=self.mode)
        if self.mode == "service" and not self.health:
            raise ConfigurationError("department {name}: a service needs a health path", name=self.name)

    @property
    def part_name(self) -> str:
        return f"department-{self.name}"


def load(project: Path) -> list[Department]:
    """The systems of the file, none when the file is not there (an installed wheel without the demo).

    :raises ConfigurationError: a key is missing, unknown or wrong
    """
    path = project / FILE
    if not path.is_file():
        return []
    content = read_yaml(path)
    try:
        return [Department(**entry) for entry in content["departments"]]
    except (KeyError, TypeError) as error:
        raise ConfigurationError("{path}: {error}", path=path, error=error) from error


@dataclass(frozen=True)
class Filled:
    """A department with its placeholders filled in for one stack."""

    department: Department
    command: list[str]
    environment: dict[str, str]
    variables: dict[str, str]
    port: int | None

    @property
    def log_name(self) -> str:
        return self.department.part_name


def fill(
    department: Department,
    layout: Layout,
    *,
    port: int | None,
    token: str,
    dsn: str,
    site: Mapping[str, str] | None = None,
) -> Filled:
    """Fill in ``{python}``, ``{host}``, ``{port}``, ``{data}``, and, outside the command, ``{token}``, ``{dsn}`` and
    what ``site`` has (``{database}``, ``{datastore_write}``, ``{datastore_read}``, ``{solr}``, ``{redis}``,
    ``{secret}``)."""
    public = {"python": sys.executable, "host": HOST, "port": str(port), "data": str(data_folder(layout, department))}
    private = {**public, "token": token, "dsn": dsn, **(site or {})}
    return Filled(
        department,
        command=[_filled(word, public, department) for word in department.command],
        environment={name: _filled(word, private, department) for name, word in department.environment.items()},
        variables={name: _filled(entry["value"], private, department) for name, entry in department.variables.items()},
        port=port,
    )


def _filled(text: str, values: Mapping[str, str], department: Department) -> str:
    try:
        return str(text).format_map(values)
    except (KeyError, ValueError, IndexError) as error:
        raise ConfigurationError(
            "department {name}: unknown placeholder in {text}", name=department.name, text=text
        ) from error


def data_folder(layout: Layout, department: Department) -> Path:
    return layout.departments / department.name


def part(filled: Filled, project: Path) -> Part:
    """A system that keeps running."""
    address = f"http://{HOST}:{filled.port}"
    return Part(
        name=filled.department.part_name,
        argv=filled.command,
        environment=filled.environment,
        cwd=project,
        healthy=lambda: answers(address + filled.department.health),
        address=address,
        start_seconds=START_SECONDS,
        stop_seconds=10,
    )


def start_once(filled: Filled, layout: Layout) -> subprocess.Popen[bytes]:
    """Begin to fill a store; ``finish_once`` waits for the end."""
    log = layout.logs / f"{filled.log_name}.log"
    process.bound_log(log)
    environment = {
        **os.environ,
        **filled.environment,
        process.MARK: process.mark_of(layout.data, filled.department.part_name),
    }
    with log.open("ab") as output:
        return subprocess.Popen(
            filled.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=layout.project,
            start_new_session=True,
        )


def finish_once(filled: Filled, running: subprocess.Popen[bytes], layout: Layout) -> None:
    """Wait for a fill.

    :raises StackError: it failed, or did not end in time
    """
    log = layout.logs / f"{filled.log_name}.log"
    try:
        status: int | None = running.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        status = None
        process.stop_processes([process.psutil.Process(running.pid)], process.signal.SIGTERM, 5.0)
    if status != 0:
        raise StackError(
            "{name} {reason}. The end of {path}:\n{log}",
            name=filled.department.part_name,
            reason=f"did not end within {START_SECONDS:.0f} s" if status is None else f"ended with status {status}",
            path=log,
            log=process.log_tail(log),
        )


def write_variables(layout: Layout, systems: list[Filled]) -> None:
    """``source_variables.json``: ``{"<department>.<variable>": value}``, readable by its owner only."""
    values = {f"{one.department.name}.{name}": value for one in systems for name, value in one.variables.items()}
    write_private(layout.source_variables, json.dumps(values, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
