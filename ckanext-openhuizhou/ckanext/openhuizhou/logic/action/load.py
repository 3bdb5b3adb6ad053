"""Loads of files into tables: asked for, looked at, cancelled. The work itself is a worker's (``data.jobs``)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.types import Context
from werkzeug.datastructures import FileStorage

from ckanext.openhuizhou.data import files, jobs, uploads
from ckanext.openhuizhou.data.entry_data import entry_of
from ckanext.openhuizhou.data.load_job import table_items
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import WrongRunState
from ckanext.openhuizhou.harvesters.stored import finding_from
from ckanext.openhuizhou.logic import uploads as incoming
from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.logic.findings import described_finding
from ckanext.openhuizhou.logic.schema import load as schema
from ckanext.openhuizhou.logic.validation import validated
from ckanext.openhuizhou.model import data_job
from ckanext.openhuizhou.model.data_job import ACTIVE, DataJob, job_of
from ckanext.openhuizhou.model.load import load_of

__all__ = [
    "openhuizhou_load_cancel",
    "openhuizhou_load_list",
    "openhuizhou_load_show",
    "openhuizhou_load_start",
]

#: Params of findings that tell nothing of what stands in a cell.
_SAID: Final = {"data_type", "pii_kind", "reason", "step", "code", "found"}
_SHOWN: Final = (
    "id", "resource_id", "package_id", "state", "mode", "file_name", "created", "started", "finished", "attempts",
    "control", "step", "rows", "bytes_total", "digest",
)  # fmt: skip


def openhuizhou_load_start(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Load a file into the table of a resource, in the background. The table that is there is served until the new one
    takes its place; loads of one resource are done one after the other.

    :param resource_id: id of a resource of an entry with information items
    :param mode: ``replace`` (when not given): the file's rows are the table; ``append``: they come behind the table's;
        ``upsert``: rows with a key that the table has take its place, the others come behind
    :param file: the file (multipart): CSV, TSV, XLSX, XLS or ODS; without one the last file is loaded once more
    :returns: the load, as :py:func:`openhuizhou_load_show` without findings
    """
    tk.check_access("openhuizhou_load_start", context, data_dict)
    data = validated(data_dict, schema.start_schema(), context)
    resource = _resource(data["resource_id"])
    package_id = str(resource.package_id)
    incoming.refuse_harvested(package_id, resource.id)
    _refuse_what_has_no_table(resource, data["mode"])
    job_id, file_name, size = _file(resource, data.get("file"))
    incoming.add(context, job_id, resource.id, package_id, data["mode"], file_name, size)
    if not context.get("defer_commit"):
        model.Session.commit()
        jobs.wake(f"load {resource.id}")
    return _shown(_job(job_id))


@tk.side_effect_free
def openhuizhou_load_show(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """One load with what it found.

    :param id: id of the load
    :returns: ``id, resource_id, package_id, state`` (queued, running, held, done, refused, failed, cancelled),
        ``mode, file_name, created, started, finished`` (UTC), ``seconds, attempts, control, step`` (staging,
        publishing), ``rows`` (read so far), ``bytes_total, digest`` (SHA-256 of the table's CSV file),
        ``requested_by, file_kept``, and ``findings``: ``kind, severity, row, column, value, message, mend``; values
        only for those who may see the data
    """
    tk.check_access("openhuizhou_load_show", context, data_dict)
    job = _job(validated(data_dict, schema.id_schema(), context)["id"])
    with_values = _may_see_data(context, job.resource_id)
    findings = [_described(finding_from(values), with_values=with_values) for values in job.findings]
    return {**_shown(job), "findings": findings}


@tk.side_effect_free
def openhuizhou_load_list(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Loads, the newest first.

    :param resource_id: of this resource
    :param package_id: of this entry, by id or name
    :param mine: the caller's own; so it is when neither resource nor entry is given
    :param limit: 20 when not given
    :param offset: 0 when not given
    :returns: ``count`` and ``results`` as :py:func:`openhuizhou_load_show`, with ``findings_count`` for findings
    """
    tk.check_access("openhuizhou_load_list", context, data_dict)
    data = validated(data_dict, schema.list_schema(), context)
    where: dict[str, Any] = {}
    if data.get("resource_id"):
        where["resource_id"] = data["resource_id"]
    elif data.get("package_id"):
        package = model.Package.get(data["package_id"])
        where["package_id"] = package.id if package is not None else ""
    user = caller(context)
    if data["mine"] or not where:
        where["requested_by"] = user.id if user is not None else ""
    count, found = data_job.loads(data["limit"], data["offset"], **where)
    return {"count": count, "results": [_shown(job) for job in found]}


def openhuizhou_load_cancel(context: Context, data_dict: dict[str, Any]) -> dict[str, Any]:
    """Cancel a load that waits or is being read. What was published before stays; a load that is being published
    already is done.

    :param id: id of the load
    :returns: the load, as :py:func:`openhuizhou_load_list`
    """
    tk.check_access("openhuizhou_load_cancel", context, data_dict)
    job_id = validated(data_dict, schema.id_schema(), context)["id"]
    try:
        jobs.cancel(job_id)
    except LookupError as error:
        raise tk.ObjectNotFound(tk._("Load not found")) from error
    except WrongRunState as error:
        raise tk.ValidationError({"id": [tk._("The load has ended already; look at it again")]}) from error
    return _shown(_job(job_id))


def _resource(resource_id: str) -> model.Resource:
    resource = model.Resource.get(resource_id)
    if resource is None or resource.state == model.State.DELETED:
        raise tk.ObjectNotFound(tk._("Resource not found"))
    return resource


def _refuse_what_has_no_table(resource: model.Resource, mode: str) -> None:
    if resource.url_type != "upload" and resource.url:
        message = tk._("This resource is an address elsewhere; make a new one for the table")
        raise tk.ValidationError({"resource_id": [message]})
    items, _closed = table_items(entry_of(str(resource.package_id)))
    if not items:
        message = tk._("The entry has no information items that are public: they say what the columns of the table are")
        raise tk.ValidationError({"resource_id": [message]})
    if mode == "upsert" and not any(item.is_key for item in items):
        message = tk._("No item of the entry is marked as key, so that rows cannot be told apart")
        raise tk.ValidationError({"mode": [message]})


def _file(resource: model.Resource, upload: object) -> tuple[str, str, int]:
    """Job, name and size of the file that is to be loaded: the one that came, or the last one once more."""
    if isinstance(upload, FileStorage) and upload.filename:
        if not uploads.is_table(upload.filename):
            raise tk.ValidationError({"file": [incoming.not_a_table()]})
        job_id, size = incoming.keep(upload)
        return job_id, upload.filename, size
    _count, last = data_job.loads(1, 0, resource_id=resource.id)
    if last and uploads.kept_file(last[0].id).exists():
        job_id = jobs.new_id()
        return job_id, last[0].file_name or "", uploads.keep_again(job_id, uploads.kept_file(last[0].id))
    unchecked = files.published_file(resource.id)
    if load_of(resource.id) is None and unchecked.exists():
        job_id = jobs.new_id()
        return job_id, resource.url or "", uploads.keep_again(job_id, unchecked)
    raise tk.ValidationError({"file": [tk._("Choose a file")]})


def _job(job_id: str) -> DataJob:
    job = job_of(job_id)
    if job is None or job.kind != "load":
        raise tk.ObjectNotFound(tk._("Load not found"))
    return job


def _shown(job: DataJob) -> dict[str, Any]:
    user = model.User.get(job.requested_by) if job.requested_by else None
    values = {name: getattr(job, name) for name in _SHOWN}
    for name in ("created", "started", "finished"):
        values[name] = values[name].isoformat() if values[name] is not None else None
    seconds = (job.finished - job.started).total_seconds() if job.finished and job.started else None
    return {
        **values,
        "seconds": seconds,
        "requested_by": user.display_name if user is not None else None,
        "file_kept": uploads.kept_file(job.id).exists(),
        "active": job.state in ACTIVE,
        "findings_count": len(job.findings),
    }


def _described(finding: Finding, *, with_values: bool) -> dict[str, Any]:
    """``with_values``: what stands in cells may be said; else only where, and how many."""
    if not with_values:
        params = {name: "…" if _of_a_cell(name, value) else value for name, value in finding.params.items()}
        finding = replace(finding, value=None if finding.value is None else "…", params=params)
    return described_finding(finding)


def _of_a_cell(name: str, value: object) -> bool:
    return isinstance(value, str) and name not in _SAID


def _may_see_data(context: Context, resource_id: str) -> bool:
    try:
        return tk.check_access("openhuizhou_resource_data_show", tk.fresh_context(context), {"id": resource_id})
    except (tk.NotAuthorized, tk.ObjectNotFound):
        return False
