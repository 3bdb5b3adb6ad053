"""The rule of ``domain.visibility`` applied to CKAN's objects. Every auth function and plugin hook asks here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import authz, model
from ckan.lib.plugins import DefaultPermissionLabels
from ckan.types import Context

from ckanext.openhuizhou.domain import visibility
from ckanext.openhuizhou.model import load, role

#: The package type that the rule is about; other types (applications) keep CKAN's own rule.
ENTRY_TYPE = "dataset"


def dataset_labels(package: model.Package) -> list[str]:
    """Labels of those who see the package's metadata (``IPermissionLabels.get_dataset_labels``)."""
    if not is_entry(package):
        return [*DefaultPermissionLabels().get_dataset_labels(package), str(visibility.Audience.PLATFORM)]
    return visibility.labels_of_entry(*_rule_values(package))


def viewer_labels(user: model.User | Any | None) -> list[str]:
    """Labels of a viewer (``IPermissionLabels.get_user_dataset_labels``); None and anonymous users are visitors."""
    if not user or user.is_anonymous:
        return visibility.labels_of_viewer((), ())
    organizations = tk.get_action("organization_list_for_user")({"user": user.id}, {"permission": "read"})
    labels = visibility.labels_of_viewer((org["id"] for org in organizations), role.roles_of(user.id))
    return [*labels, f"creator-{user.id}"]


def may_see_data(package: model.Package, user: model.User | Any | None) -> bool:
    """Whether the user may read what is in the package's tables and files. Sysadmins are CKAN's own exception."""
    if not is_entry(package):
        return True
    return visibility.may_see_data(*_rule_values(package), viewer_labels(user))


def may_see_unchecked(package: model.Package, user: model.User | Any | None) -> bool:
    """Whether the user may read what the loader has not checked: those who would see it in a draft, whatever the
    entry's state. A file that was uploaded by hand may hold personal data, and publishing its entry checks no file."""
    if not is_entry(package):
        return True
    return visibility.may_see_data("", *_rule_values(package)[1:], viewer_labels(user))


def is_checked(resource: model.Resource) -> bool:
    """Whether what is in the resource's table and file came through the loader, which refuses personal data."""
    last = load.load_of(resource.id)
    return last is not None and last.loaded_at is not None and last.package_id == resource.package_id


def is_open_on_conditions(package: model.Package) -> bool:
    """Whether a visitor sees the entry but not its data."""
    return package.extras.get("open_type") == "conditional"


def visible_packages(context: Context, package_ids: Iterable[str]) -> frozenset[str]:
    """Those of the packages that the context's user may see now, whatever he might see when something was stored."""
    packages = model.Session.query(model.Package).filter(model.Package.id.in_(set(package_ids))).all()
    if context.get("ignore_auth") or authz.is_sysadmin(context.get("user")):
        return frozenset(package.id for package in packages)
    viewer = set(viewer_labels(context.get("auth_user_obj")))
    return frozenset(package.id for package in packages if not viewer.isdisjoint(dataset_labels(package)))


def public_tags(names: Iterable[str]) -> frozenset[str]:
    """Those of the tags that some public package has."""
    query = (
        sa.select(model.Tag.name)
        .join(model.PackageTag, model.PackageTag.tag_id == model.Tag.id)
        .join(model.Package, model.Package.id == model.PackageTag.package_id)
        .where(
            model.Tag.name.in_(set(names)),
            model.PackageTag.state == model.State.ACTIVE,
            model.Package.state == model.State.ACTIVE,
            model.Package.private.is_(False),
        )
    )
    return frozenset(model.Session.scalars(query))


def is_entry(package: model.Package) -> bool:
    """Whether the rule of the catalogue is about this package."""
    return (package.type or ENTRY_TYPE) == ENTRY_TYPE


def _rule_values(package: model.Package) -> tuple[str, str, str, str]:
    """State, open type, share type and owner. CKAN's own flags may only narrow: whoever set them had a reason."""
    extras = package.extras
    open_type = extras.get("open_type", "")
    state = extras.get("entry_state", "")
    closed = package.state != model.State.ACTIVE or (package.private and open_type != "none")
    return "" if closed else state, open_type, extras.get("share_type", ""), package.owner_org or ""
