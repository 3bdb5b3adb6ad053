"""Registers what the extension has; does nothing itself."""

from __future__ import annotations

from typing import Any

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan import model
from ckan.common import CKANConfig
from ckan.lib.plugins import DefaultTranslation
from ckan.types import Context
from ckanext.datastore.interfaces import IDatastore

from ckanext.openhuizhou import config as options
from ckanext.openhuizhou import search
from ckanext.openhuizhou.data import derive
from ckanext.openhuizhou.data.text_search import search_by_parts
from ckanext.openhuizhou.exports import store
from ckanext.openhuizhou.harvesters.entry_form import forget_schema
from ckanext.openhuizhou.helpers.lists import facet_titles
from ckanext.openhuizhou.logic import entry_hooks, visibility
from ckanext.openhuizhou.model import licence
from ckanext.openhuizhou.search import outbox
from ckanext.openhuizhou.search.shown import forget_schemas


@tk.blanket.actions
@tk.blanket.auth_functions
@tk.blanket.blueprints
@tk.blanket.cli
@tk.blanket.config_declarations
@tk.blanket.helpers
@tk.blanket.validators
class OpenHuizhouPlugin(DefaultTranslation, p.SingletonPlugin):
    """The platform's extension of CKAN."""

    p.implements(p.IConfigurer)
    p.implements(p.IConfigurable)
    p.implements(p.ITranslation)
    p.implements(p.IFacets, inherit=True)
    p.implements(p.IPackageController, inherit=True)
    p.implements(p.IPermissionLabels)

    # IConfigurer

    def update_config(self, config: CKANConfig) -> None:
        tk.add_template_directory(config, "templates")
        tk.add_public_directory(config, "public")
        tk.add_resource("assets", "openhuizhou")
        config["ckan.search.solr_allowed_query_parsers"] = [
            *config["ckan.search.solr_allowed_query_parsers"],
            "edismax",
        ]

    # IConfigurable

    def configure(self, config: CKANConfig) -> None:  # noqa: ARG002
        licence.offer(options.licences(), options.site_url())
        # what is kept of the schemas was read with the plugins of before
        forget_schema()
        forget_schemas()
        # files of whole tables are made above the layer of jobs
        step = ("exports", store.refresh)
        if step not in derive.STEPS:
            derive.STEPS.append(step)

    # IPackageController

    def before_dataset_index(self, pkg_dict: dict[str, Any]) -> dict[str, Any]:
        return search.before_dataset_index(pkg_dict)

    def before_dataset_search(self, search_params: dict[str, Any]) -> dict[str, Any]:
        return search.before_dataset_search(search_params)

    def after_dataset_create(self, context: Context, pkg_dict: dict[str, Any]) -> None:
        entry_hooks.entry_saved(context, pkg_dict)
        outbox.written(context, pkg_dict["id"])

    def after_dataset_update(self, context: Context, pkg_dict: dict[str, Any]) -> None:
        entry_hooks.entry_saved(context, pkg_dict)
        outbox.written(context, pkg_dict["id"])

    # IFacets

    def dataset_facets(self, facets_dict: dict[str, Any], package_type: str) -> dict[str, Any]:  # noqa: ARG002
        return facet_titles()

    def organization_facets(
        self,
        facets_dict: dict[str, Any],  # noqa: ARG002
        organization_type: str,  # noqa: ARG002
        package_type: str | None,  # noqa: ARG002
    ) -> dict[str, Any]:
        return facet_titles(of_one_department=True)

    # IPermissionLabels

    def get_dataset_labels(self, dataset_obj: model.Package) -> list[str]:
        return visibility.dataset_labels(dataset_obj)

    def get_user_dataset_labels(self, user_obj: model.User) -> list[str]:
        return visibility.viewer_labels(user_obj)


class TablesPlugin(p.SingletonPlugin):
    """What we say to the DataStore. A plugin of its own, for CKAN wants it after ``datastore``, and our templates and
    routes before."""

    p.implements(IDatastore, inherit=True)

    def datastore_search(
        self,
        context: Context,  # noqa: ARG002
        data_dict: dict[str, Any],
        fields_types: dict[str, str],
        query_dict: dict[str, Any],
    ) -> dict[str, Any]:
        return search_by_parts(data_dict, fields_types, query_dict)
