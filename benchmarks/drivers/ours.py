"""One run of our engine: ``ours.py SOURCE`` prints its seconds, its counters, and the memory above the idle process."""

from __future__ import annotations

import sys

from _app import answer, application, timed
from memory import Memory

from ckanext.openhuizhou.harvesters import report
from ckanext.openhuizhou.harvesters.engine import run_source
from ckanext.openhuizhou.model.harvest import COUNTERS, Run, source_id_of

with application():
    from ckan import model

    memory = Memory()
    seconds, run_id = timed(lambda: run_source(source_id_of(sys.argv[1])))
    run = model.Session.get_one(Run, run_id)
    found = [str(finding) for finding, _title in report.findings(run.id, 3, 0)[1]]
    counters = {counter: getattr(run, counter) for counter in COUNTERS}
    answer(
        seconds=seconds,
        state=run.state,
        findings=found,
        requests=run.requests,
        rules=run.rules,
        mebibytes=memory.grown(),
        **counters,
    )
