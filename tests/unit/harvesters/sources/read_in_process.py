"""Reads a source of files in this process alone and prints what came and how much memory it took; run by a test.

    python read_in_process.py KIND FOLDER

Prints JSON: records, rows, findings, and the most resident memory in MiB of this process beyond what it had before, and
of the processes that it started.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from ckanext.openhuizhou.errors import RecordRefused, SourceError
from ckanext.openhuizhou.harvesters.kinds import Reading, check_config, kind_named
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.transport.guard import Guard
from ckanext.openhuizhou.transport.http import HttpClient


def peak(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


def main(name: str, folder: str) -> None:
    kind = kind_named(name, Place("x"))
    reading = Reading(HttpClient(Guard(allowed_roots=(Path(folder),))))
    source = kind(check_config({"url": folder}, kind.options, Place("x")), reading)
    before = peak(resource.RUSAGE_SELF)
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
    found |= {"findings": kinds, "memory": round(peak(resource.RUSAGE_SELF) - before, 1)}
    found["child"] = round(peak(resource.RUSAGE_CHILDREN), 1)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
