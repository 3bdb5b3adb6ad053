"""One run of our engine: ``ours.py SOURCE`` prints its seconds and its counters."""

from __future__ import annotations

import sys

from _app import answer, application, timed

from ckanext.openhuizhou.harvesters import report
from ckanext.openhuizhou.harvesters.engine import run_source
from ckanext.openhuizhou.model.harvest import COUNTERS, Run, source_id_of

with application():
    from ckan import model

    seconds, run_id = timed(lambda: run_source(source_id_of(sys.argv[1])))
    run = model.Session.get_one(Run, run_id)
    found = [str(finding) for finding, _title in report.findings(run.id, 3, 0)[1]]
    answer(seconds=seconds, state=run.state, findings=found, **{counter: getattr(run, counter) for counter in COUNTERS})
