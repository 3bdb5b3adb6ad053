"""One load of ours: ``load_table.py FILE RESOURCE`` drops what there is, stages and publishes the file, and prints the
seconds of both, rows, and the memory above the idle process; ``children`` is that of the process that reads workbooks.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from _app import answer, application, timed
from memory import Memory
from table_data import ITEMS

with application():
    from ckanext.openhuizhou.data import checks, tables
    from ckanext.openhuizhou.data.table_file import FileSource

    path, resource_id = Path(sys.argv[1]), sys.argv[2]
    tables.drop_table(resource_id)
    memory = Memory()

    def load() -> tables.LoadResult:
        rules = checks.begin(resource_id, "bench")
        staged = tables.stage_file(resource_id, ITEMS, FileSource(path, path.name), rules)
        return tables.publish_table(staged, "bench")

    seconds, result = timed(load)
    answer(
        seconds=seconds,
        rows=result.rows,
        mebibytes=memory.grown(),
        children=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    )
