"""Files of tables that come with a resource, by CKAN's form or its actions: kept, and loaded in the background.

Two kinds of resources are told apart. One without a table takes the file as CKAN does, which stays closed to visitors
until the loader has checked it. One with a table keeps what is published: the new file lies apart until it is loaded.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib import uploader
from ckan.types import Context
from werkzeug.datastructures import FileStorage

from ckanext.openhuizhou.data import files, jobs, uploads
from ckanext.openhuizhou.data.load_job import table_items
from ckanext.openhuizhou.errors import UploadTooLarge, WrongRunState
from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.model.data_job import MODES
from ckanext.openhuizhou.model.harvest import record_of_table
from ckanext.openhuizhou.model.load import load_of

#: What a resource may say beside its ``upload``: what becomes of the rows that are there (``model.data_job.MODES``).
MODE: Final = "load_mode"
#: What a file that lies apart does not change of its resource.
_OF_THE_FILE: Final = ("url", "url_type", "format", "mimetype", "size", "hash", "last_modified")


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that came with a resource. ``job_id`` is None while CKAN keeps the file, which was given no table yet."""

    resource_id: str
    file_name: str
    mode: str
    job_id: str | None
    size: int = 0


def take(package_type: str | None, resources: object) -> list[Taken]:
    """Take the files of tables out of the resources of a package that is being saved. CKAN takes files with
    ``package_update`` only, which is what ``resource_create``, ``_update`` and ``_patch`` call.

    :raises ValidationError: a file that may not come here, or is too large
    """
    taken: list[Taken] = []
    try:
        for resource in resources if isinstance(resources, list) else ():
            if isinstance(resource, dict):
                taken += _take_one(package_type, resource)
    except BaseException:
        give_up(taken)
        raise
    return taken


def give_up(taken: Iterable[Taken]) -> None:
    """The package was not saved."""
    for one in taken:
        if one.job_id is not None:
            uploads.remove(one.job_id)


def queue(context: Context, package_id: str, taken: Iterable[Taken]) -> None:
    """The package is saved: let its files be loaded, if its items say what is in them."""
    taken = list(taken)
    if not taken:
        return
    entry = tk.get_action("package_show")({"ignore_auth": True, "use_cache": False}, {"id": package_id})
    if not table_items(entry)[0]:
        give_up(taken)
        return
    for one in taken:
        job_id, size = one.job_id, one.size
        if job_id is None:
            job_id = jobs.new_id()
            size = uploads.keep_again(job_id, files.published_file(one.resource_id))
        add(context, job_id, one.resource_id, package_id, one.mode, one.file_name, size)
    if not context.get("defer_commit"):
        model.Session.commit()
        jobs.wake()


def add(
    context: Mapping[str, Any], job_id: str, resource_id: str, package_id: str, mode: str, file_name: str, size: int
) -> None:
    """Queue the load of a kept file, in the session's transaction.

    :raises ValidationError: too many wait already; the file is not kept
    """
    user = caller(context)
    try:
        jobs.add_load(job_id, resource_id, package_id, mode, file_name, size, user.id if user else None)
    except WrongRunState as error:
        uploads.remove(job_id)
        message = tk._("{count} loads of this table wait already; look at them before you add more")
        raise tk.ValidationError({"upload": [message.format(count=jobs.MOST_WAITING)]}) from error


def keep(upload: FileStorage) -> tuple[str, int]:
    """Keep an uploaded file for a job; the job's id and the bytes of the file.

    :raises ValidationError: it is too large
    """
    job_id, most = jobs.new_id(), uploader.get_max_resource_size()
    try:
        return job_id, uploads.keep(job_id, upload.stream, most * 1024 * 1024)
    except UploadTooLarge as error:
        message = tk._("The file is larger than {size} MB; files of this size are read from a source of the harvest")
        raise tk.ValidationError({"upload": [message.format(size=most)]}) from error


def refuse_harvested(package_id: str, resource_id: str) -> None:
    """A table that a source brings is corrected there: the next run would undo what is loaded here.

    :raises ValidationError: it is such a table
    """
    if record_of_table(package_id, resource_id) is not None:
        raise tk.ValidationError({"upload": [tk._("This data is written by the harvest; correct it at its source")]})


def checked_mode(mode: object) -> str:
    """``replace`` when nothing is said.

    :raises ValidationError: no such mode
    """
    if mode in (None, ""):
        return "replace"
    if mode not in MODES:
        raise tk.ValidationError(
            {MODE: [tk._("A file replaces the rows, is appended to them, or updates them by key")]}
        )
    return str(mode)


def _take_one(package_type: str | None, resource: dict[str, Any]) -> list[Taken]:
    mode, upload = resource.pop(MODE, None), resource.get("upload")
    if not isinstance(upload, FileStorage) or not upload.filename or package_type != "dataset":
        return []
    name = upload.filename
    stored = model.Resource.get(str(resource["id"])) if resource.get("id") else None
    if stored is None or load_of(stored.id) is None:
        if not uploads.is_table(name):
            return []
        resource["id"] = resource.get("id") or str(uuid.uuid4())
        return [Taken(resource["id"], name, checked_mode(mode), None)]
    refuse_harvested(str(stored.package_id), stored.id)
    if not uploads.is_table(name):
        raise tk.ValidationError({"upload": [not_a_table()]})
    mode = checked_mode(mode)
    job_id, size = keep(upload)
    del resource["upload"]
    resource.pop("clear_upload", None)
    resource.update({key: value for key in _OF_THE_FILE if (value := getattr(stored, key)) is not None})
    return [Taken(stored.id, name, mode, job_id, size)]


def not_a_table() -> str:
    """What is said of a file of another kind."""
    return tk._("This resource holds a table: upload it as CSV, TSV, XLSX, XLS or ODS")
