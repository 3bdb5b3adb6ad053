"""Who loads files into tables, and sees what came of it: the department's editors theirs, platform officers all.

A department loads into an entry that is published, too. What an officer has looked at are the entry and its items; a
file that does not fit them, or holds personal data, is refused whoever brings it, as the rows of an approved source
are.
"""

from __future__ import annotations

from typing import Any

from ckan import model
from ckan.types import AuthResult, Context

from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.logic.harvest_access import edits, sees
from ckanext.openhuizhou.model.data_job import DataJob, job_of

__all__ = [
    "openhuizhou_load_cancel",
    "openhuizhou_load_list",
    "openhuizhou_load_show",
    "openhuizhou_load_start",
]


def openhuizhou_load_start(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Editors of the entry's department, platform officers."""
    return {"success": edits(context, _department_of_resource(data_dict.get("resource_id")))}


def openhuizhou_load_show(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Members of the entry's department, who sees all, and whoever asked for the load."""
    job = job_of(data_dict.get("id"))
    return {"success": job is not None and (_asked(context, job) or sees(context, _department(job.package_id)))}


def openhuizhou_load_list(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Of a resource or an entry: members of its department, and who sees all; without either, one's own."""
    if data_dict.get("resource_id"):
        return {"success": sees(context, _department_of_resource(data_dict["resource_id"]))}
    if data_dict.get("package_id"):
        return {"success": sees(context, _department(data_dict["package_id"]))}
    return {"success": caller(context) is not None}


def openhuizhou_load_cancel(context: Context, data_dict: dict[str, Any]) -> AuthResult:
    """Editors of the entry's department, platform officers."""
    job = job_of(data_dict.get("id"))
    return {"success": job is not None and edits(context, _department(job.package_id))}


def _asked(context: Context, job: DataJob) -> bool:
    user = caller(context)
    return user is not None and user.id == job.requested_by


def _department_of_resource(resource_id: object) -> str | None:
    """Id of the department of the entry that a resource is of; None when there is no such entry."""
    resource = model.Resource.get(resource_id) if isinstance(resource_id, str) and resource_id else None
    return _department(resource.package_id) if resource is not None else None


def _department(package: object) -> str | None:
    found = model.Package.get(package) if isinstance(package, str) and package else None
    return found.owner_org if found is not None and found.type == "dataset" else None
