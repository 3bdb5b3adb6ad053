"""The whole index anew: ``rebuild.py ours|ckan`` prints the seconds; CKAN's start is left out at both."""

from __future__ import annotations

import sys
from functools import partial

from _app import answer, application, timed
from ckan.lib import search

from ckanext.openhuizhou.search import rebuild

WAYS = {"ours": rebuild.rebuild, "ckan": partial(search.rebuild, quiet=True)}

with application():
    seconds, _done = timed(WAYS[sys.argv[1]])
    answer(seconds=seconds)
