"""One run of our engine: ``ours.py SOURCE`` prints its seconds and its counters."""

from __future__ import annotations

import sys

from _app import answer, application, timed

from ckanext.openhuizhou.harvesters.engine import run_source
from ckanext.openhuizhou.model.harvest import COUNTERS, Run, source_id_of

with application():
    from ckan import model

    seconds, run_id = timed(lambda: run_source(source_id_of(sys.argv[1])))
    run = model.Session.get_one(Run, run_id)
    answer(seconds=seconds, state=run.state, **{counter: getattr(run, counter) for counter in COUNTERS})
