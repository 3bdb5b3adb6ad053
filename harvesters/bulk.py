"""Many entries at once: what ``package_create`` and ``package_update`` write, in few statements of one transaction.

CKAN's actions cost some twenty milliseconds for each entry, most of them for what the engine has done already (rules)
or does once for all (code, organization, activity, index). Here the same rows are written with CKAN's own model
classes, and nothing is judged twice. It is done while nothing else takes part in writing a dataset (``possible``);
an entry with anything out of the ordinary goes through the actions. Tests write the same entries both ways and
compare every row of every table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan import model
from ckan.lib.plugins import get_permission_labels
from ckan.types import Context

from ckanext.openhuizhou.harvesters import bulk_create, bulk_update
from ckanext.openhuizhou.harvesters.bulk_create import writer_of
from ckanext.openhuizhou.harvesters.entry_form import usual_schema
from ckanext.openhuizhou.search import outbox
from ckanext.openhuizhou.search.package_dicts import package_dicts, packages
from ckanext.openhuizhou.search.shown import shown

#: Of these plugins it is known what they do when a dataset is written; the activity plugin listens to a signal.
_KNOWN: Final = frozenset(
    {"openhuizhou", "openhuizhou_tables", "activity", "datastore", "scheming_datasets", "scheming_organizations"}
)

#: An entry as ``package_show`` gives it → as ``package_update`` is to be given it; None when nothing is to be done.
Alteration = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


def possible() -> bool:
    """Whether nothing else takes part: no plugin that we do not know, no views that are made by themselves."""
    if tk.config["ckan.views.default_views"] or not usual_schema():
        return False
    return all(p.plugin_loaded(name) for name in ("openhuizhou", "scheming_datasets")) and set(_plugins()) <= _KNOWN


def create(entries: Iterable[Mapping[str, Any]], context: Context) -> set[str]:
    """Write new entries, each as ``package_create`` is given it, in the session's transaction, uncommitted.

    Returns the ids of those that were written. Numbers are taken in a transaction of their own, as by the action.
    """
    written = bulk_create.write(entries, context)
    _follow(written, "new package", context)
    return set(written)


def update(wanted: Mapping[str, Alteration], context: Context) -> set[str]:
    """Write changes of entries, in the session's transaction, uncommitted: id → how it is to be altered.

    Returns the ids of those that are as they should be now, whether anything had to be written or not.
    """
    written = bulk_update.write(wanted, context)
    _follow([id_ for id_, changed in written.items() if changed], "changed package", context)
    return set(written)


def _follow(ids: list[str], activity_type: str, context: Context) -> None:
    """What the plugins write after an entry: the row of the outbox, and the activity."""
    outbox.enqueue(ids)
    if ids and p.plugin_loaded("activity") and tk.config.get("ckan.activity_streams_enabled"):
        _add_activities(ids, activity_type, context)
    model.Session.flush()


def _add_activities(ids: list[str], activity_type: str, context: Context) -> None:
    from ckanext.activity.model import Activity

    user = writer_of(context)
    found = packages(ids)
    labels = get_permission_labels()
    dicts = package_dicts(list(found.values()))
    for package_id in ids:
        package = found[package_id]
        show_context = Context(ignore_auth=True, use_cache=False, package=package, session=model.Session)
        _default, custom = shown(dicts[package_id], show_context)
        data = {"package": custom, "actor": user.name}
        model.Session.add(Activity(user.id, package_id, activity_type, data, labels.get_dataset_labels(package)))


def _plugins() -> Iterable[str]:
    """The plugins that are loaded, whatever the configuration says: a test or a program may have loaded more."""
    return (plugin.name for interface in _INTERFACES for plugin in p.PluginImplementations(interface))


#: By these a plugin can take part in writing a dataset.
_INTERFACES: Final = (
    p.IActions,
    p.IDatasetForm,
    p.IDomainObjectModification,
    p.IPackageController,
    p.IPermissionLabels,
    p.IResourceController,
    p.IResourceUrlChange,
    p.ISignal,
    p.IUploader,
    p.IValidators,
)
