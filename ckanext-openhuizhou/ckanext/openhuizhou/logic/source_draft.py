"""A source that a person wants to look at before it is saved: checked as a saved one would be, its secrets opened."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk
from ckan.types import Context

from ckanext.openhuizhou import config as settings
from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.harvesters.kinds import SourceKind, kinds, mapping_of
from ckanext.openhuizhou.harvesters.preview import Draft
from ckanext.openhuizhou.logic.harvest_access import runs_the_platform
from ckanext.openhuizhou.logic.source_config import CheckedConfig, checked_config
from ckanext.openhuizhou.logic.source_edit import checked_mapping, config_errors
from ckanext.openhuizhou.model.harvest import Source
from ckanext.openhuizhou.transport.secrets import open_config
from ckanext.openhuizhou.transport.variables import Variables


def draft_of(context: Context, data: dict[str, Any], source: Source | None) -> Draft:
    """The draft that a request describes. ``source``: the stored one that it starts from, if any.

    Raises:
        ValidationError: by field, as when the source is saved.
    """
    kind_name = data.get("kind") or (source.kind if source else None)
    organization_id = data.get("organization_id") or (source.organization_id if source else None)
    needed = {"kind": kind_name, "organization_id": organization_id}
    missing: dict[str, Any] = {name: [tk._("Missing value")] for name, value in needed.items() if not value}
    if missing:
        raise tk.ValidationError(missing)
    kind = kinds().get(str(kind_name))
    if kind is None:
        raise tk.ValidationError({"kind": [tk._("There is no such kind of source any more")]})
    config, errors = _config(context, data, kind, source)
    given = data["mapping"] if data.get("mapping") is not None else (source.mapping if source else {})
    mapping, mistakes = checked_mapping(kind, given)
    # a test asks the source only: the mapping may still be missing
    if mistakes and given:
        errors["mapping"] = mistakes
    if errors:
        raise tk.ValidationError(errors)
    return Draft(
        kind=kind.name,
        config=_opened(config),
        mapping=mapping_of(kind, mapping),
        organization_id=str(organization_id),
        source_id=source.id if source else None,
        name=source.name if source else "draft",
    )


def _config(
    context: Context, data: dict[str, Any], kind: type[SourceKind], source: Source | None
) -> tuple[CheckedConfig, dict[str, Any]]:
    if "config" not in data and source is not None and kind.name == source.kind:
        return CheckedConfig(source.config, source.secrets), {}
    by_platform = runs_the_platform(context)
    removed = data.get("secrets_removed") or []
    checked = checked_config(data.get("config") or {}, kind.options, source, removed, by_platform=by_platform)
    return checked, config_errors(checked)


def _opened(checked: CheckedConfig) -> dict[str, Any]:
    try:
        variables = Variables.load(settings.source_variables_file())
        return open_config(variables.expand(checked.config), checked.secrets)
    except ConfigurationError as error:
        raise tk.ValidationError({"config": [str(error)]}) from error
