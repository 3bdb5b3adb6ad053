"""Reads a source of files in this process alone and prints what came and how much memory it took; run by a test.

    python -m tests.unit.harvesters.sources.read_in_process KIND FOLDER

Prints JSON: records, rows, findings, and the most resident memory in MiB of this process beyond what it had before, and
of the processes that it started.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from benchmarks.drivers.memory import Memory

from ckanext.openhuizhou.errors import RecordRefused, SourceError
from ckanext.openhuizhou.harvesters.kinds import Reading, check_config, kind_named
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.transport.guard import Guard
from ckanext.openhuizhou.transport.http import HttpClient


def main(name: str, folder: str) -> None:
    kind = kind_named(name, Place("x"))
    reading = Reading(HttpClient(Guard(allowed_roots=(Path(folder),))))
    source = kind(check_config({"url": folder}, kind.options, Place("x")), reading)
    memory = Memory()
    found: dict[str, object] = {"records": 0, "rows": 0}
    kinds: list[str] = []
    try:
        source.open()
        for record in source.records():
            found["records"] = int(str(found["records"])) + 1
            kinds += [finding.kind for finding in record.findings]
            try:
                rows = sum(1 for _row in record.rows()) if record.rows and not record.findings else 0
                found["rows"] = int(str(found["rows"])) + rows
            except RecordRefused as refused:
                kinds += [finding.kind for finding in refused.findings]
    except SourceError as error:
        found["error"] = str(error)
    finally:
        source.close()
    found |= {"findings": kinds, "memory": memory.grown()}
    found["child"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, 1)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
