"""``openhuizhou status``."""

from __future__ import annotations

from ckanext.openhuizhou.domain.text_table import table
from ckanext.openhuizhou.errors import OpenHuizhouError
from ckanext.openhuizhou.stack import departments, process, report
from ckanext.openhuizhou.stack.layout import Layout
from ckanext.openhuizhou.stack.process import Part
from ckanext.openhuizhou.stack.services import Stack


def show(layout: Layout) -> tuple[str, bool]:
    """A table of all parts, and whether all of them serve."""
    stack = Stack(layout, print)
    parts: list[Part] = stack.services()
    parts += [
        departments.part(filled, layout.project) for filled in stack.systems() if filled.department.mode == "service"
    ]
    parts += stack.servers()
    rows, well, total = [], True, 0
    for part in parts:
        process.bound_log(stack.supervisor.log_of(part.name))
        first = stack.supervisor.running(part.name)
        health = _health(part) if first else "stopped"
        members = stack.supervisor.members(part.name, part)
        used = report.memory(members)
        total += used
        well = well and health == "serves"
        rows.append((part.name, first.pid if first else "-", len(members), health, _mebibytes(used), part.address))
    head = ("part", "pid", "processes", "health", "memory", "address")
    return table(head, rows) + f"\n\nmemory together: {_mebibytes(total)}", well


def _health(part: Part) -> str:
    try:
        return "serves" if part.healthy() else "does not answer"
    except OpenHuizhouError as error:
        return str(error)


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"
