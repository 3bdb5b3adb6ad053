"""Auth of data behind visible entries: every way to a table or file asks ``openhuizhou_resource_data_show``."""

from __future__ import annotations

import ckan.plugins.toolkit as tk
from ckan import model
from ckan.logic.auth import get_resource_object
from ckan.types import AuthFunction, AuthResult, Context, DataDict

from ckanext.openhuizhou.logic import visibility
from ckanext.openhuizhou.model import load

__all__ = [
    "datastore_create",
    "datastore_delete",
    "datastore_info",
    "datastore_records_delete",
    "datastore_search",
    "datastore_search_sql",
    "datastore_upsert",
    "openhuizhou_resource_data_show",
    "resource_view_show",
]


@tk.auth_allow_anonymous_access
def openhuizhou_resource_data_show(context: Context, data_dict: DataDict | None) -> AuthResult:
    """Who may see the resource and also what is in it. ``data_dict``: ``id`` of the resource.

    What the loader has not checked is for those who see drafts only; an address elsewhere is no data of ours.
    Raises NotFound for an unknown resource.
    """
    return _may_see_data(context, tk.get_or_bust(data_dict or {}, "id"), table=False)


def _may_see_data(context: Context, resource_id: str, *, table: bool) -> AuthResult:
    """``table``: the DataStore is asked, which may have a table for a resource that says it is a mere address."""
    resource = get_resource_object(tk.fresh_context(context), {"id": resource_id})
    try:
        tk.check_access("resource_show", tk.fresh_context(context), {"id": resource.id})
    except tk.NotAuthorized as error:
        return {"success": False, "msg": str(error)}
    package = model.Package.get(resource.package_id)
    assert package is not None, "a resource has a package"
    if visibility.may_see_data(package, context.get("auth_user_obj")):
        if (
            not (table or resource.url_type)
            or visibility.is_checked(resource)
            or visibility.may_see_unchecked(package, context.get("auth_user_obj"))
        ):
            return {"success": True}
        return {"success": False, "msg": tk._("This file has not been checked yet and is not public until it is")}
    if visibility.is_open_on_conditions(package):
        return {"success": False, "msg": tk._("This data is open on conditions: ask the department for access")}
    return {"success": False, "msg": tk._("This data is not open to the public")}


@tk.chained_auth_function
@tk.auth_allow_anonymous_access
def datastore_search(next_auth: AuthFunction, context: Context, data_dict: DataDict | None) -> AuthResult:
    """Rows of a table: the data, not the metadata."""
    return _and_data(next_auth, context, data_dict, [tk.get_or_bust(data_dict or {}, "resource_id")])


@tk.chained_auth_function
@tk.auth_allow_anonymous_access
def datastore_info(next_auth: AuthFunction, context: Context, data_dict: DataDict | None) -> AuthResult:
    """Columns and row count of a table: CKAN opens them with the metadata, but a closed table's columns are closed."""
    given = data_dict or {}
    return _and_data(next_auth, context, data_dict, [given.get("resource_id") or tk.get_or_bust(given, "id")])


@tk.chained_auth_function
@tk.auth_allow_anonymous_access
def datastore_search_sql(next_auth: AuthFunction, context: Context, data_dict: DataDict | None) -> AuthResult:
    """Off by default; where an operator turns it on, each table of the statement must be readable."""
    return _and_data(next_auth, context, data_dict, context.get("table_names", []))


@tk.chained_auth_function
@tk.auth_allow_anonymous_access
def resource_view_show(next_auth: AuthFunction, context: Context, data_dict: DataDict | None) -> AuthResult:
    """A preview shows data."""
    view = model.ResourceView.get(tk.get_or_bust(data_dict or {}, "id"))
    return _and_data(next_auth, context, data_dict, [view.resource_id] if view is not None else [])


@tk.chained_auth_function
def datastore_create(next_auth: AuthFunction, context: Context, data_dict: DataDict | None) -> AuthResult:
    """A table made by hand; never in the place of one that the loader made."""
    return _not_the_loaders(next_auth, context, data_dict)


@tk.chained_auth_function
def datastore_upsert(next_auth: AuthFunction, context: Context, data_dict: DataDict | None) -> AuthResult:
    """Rows written by hand; never into the loader's tables."""
    return _not_the_loaders(next_auth, context, data_dict)


@tk.chained_auth_function
def datastore_delete(next_auth: AuthFunction, context: Context, data_dict: DataDict | None) -> AuthResult:
    """A table dropped by hand; never one of the loader's."""
    return _not_the_loaders(next_auth, context, data_dict)


@tk.chained_auth_function
def datastore_records_delete(next_auth: AuthFunction, context: Context, data_dict: DataDict | None) -> AuthResult:
    """Rows deleted by hand; never from the loader's tables."""
    return _not_the_loaders(next_auth, context, data_dict)


def _not_the_loaders(next_auth: AuthFunction, context: Context, data_dict: DataDict | None) -> AuthResult:
    """The loader answers for every row of its tables; what is written past it would be public unchecked."""
    given = data_dict or {}
    resource_id = given.get("resource_id") or given.get("id")
    if resource_id and load.load_of(str(resource_id)) is not None:
        return {"success": False, "msg": tk._("This data is written by the harvest; correct it at its source")}
    return next_auth(context, given)


def _and_data(
    next_auth: AuthFunction, context: Context, data_dict: DataDict | None, resource_ids: list[str]
) -> AuthResult:
    """CKAN's own answer, and then ours for each resource."""
    answer = next_auth(context, data_dict or {})
    for resource_id in resource_ids:
        if not answer.get("success"):
            break
        answer = _may_see_data(context, resource_id, table=True)
    return answer
