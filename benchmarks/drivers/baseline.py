"""One job of ckanext-harvest's CKAN harvester: ``baseline.py URL [CONFIG]`` prints its seconds and outcomes.

Gather, fetch and import run one after the other in this process, as ``ckan harvester run-test`` does it: no queue and
no waiting between the stages, which is the fastest that ckanext-harvest goes. The first call makes the source.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import ckan.plugins.toolkit as tk
from _app import answer, application, timed

NAME = "bench-remote"
#: Fields that each platform gives itself.
ASSIGNED = {"catalogue_code", "name", "issued", "private", "data_modified", "row_count"}


def source_id(user: str, url: str, config: str) -> str:
    context = {"ignore_auth": True, "user": user}
    values = {"name": NAME, "title": "Remote", "url": url, "source_type": "ckan", "owner_org": "huanbaoju"}
    try:
        found = tk.get_action("harvest_source_show")(dict(context), {"id": NAME})
    except tk.ObjectNotFound:
        return tk.get_action("harvest_source_create")(dict(context), {**values, "config": config})["id"]
    if config:
        tk.get_action("harvest_source_update")(dict(context), {**values, "id": found["id"], "config": config})
    return found["id"]


def without_assigned(package_dict: dict[str, Any], _harvest_object: Any) -> dict[str, Any]:
    """The harvester's own hook: what a site's platform assigns is not copied from another's."""
    return {name: value for name, value in package_dict.items() if name not in ASSIGNED}


def run(source: str, user: str) -> tuple[Counter[str], list[str]]:
    from ckanext.harvest import queue
    from ckanext.harvest.model import HarvestJob, HarvestObject

    context = {"ignore_auth": True, "user": user}
    made = tk.get_action("harvest_job_create")(dict(context), {"source_id": source})
    job = HarvestJob.get(made["id"])
    job.status = "Running"
    job.save()
    harvester = queue.get_harvester("ckan")
    harvester.modify_package_dict = without_assigned
    outcomes: Counter[str] = Counter()
    mistakes: set[str] = set()
    for object_id in queue.gather_stage(harvester, job) or []:
        fetched = HarvestObject.get(object_id)
        queue.fetch_and_import_stages(harvester, fetched)
        outcomes[f"{fetched.state} {fetched.report_status}"] += 1
        mistakes.update(str(error.message) for error in fetched.errors)
    tk.get_action("harvest_jobs_run")(dict(context), {})
    return outcomes, sorted(mistakes)[:3]


with application():
    site_user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    source = source_id(site_user, sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
    seconds, (outcomes, mistakes) = timed(lambda: run(source, site_user))
    answer(seconds=seconds, outcomes=outcomes, mistakes=mistakes)
