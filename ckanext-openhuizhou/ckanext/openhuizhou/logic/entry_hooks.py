"""What must happen in the transaction that saves an entry (``IPackageController`` hooks)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ckan.plugins.toolkit as tk
from ckan import model

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.title import title_key
from ckanext.openhuizhou.logic.findings import finding_text
from ckanext.openhuizhou.model import catalogue


def entry_saved(context: Mapping[str, Any], pkg_dict: Mapping[str, Any]) -> None:
    """Claim the entry's title. Two who save the same title at once both passed validation; the unique key decides.

    Raises ``ValidationError`` beside the title; as CKAN's own actions do, the transaction is rolled back, unless the
    caller has said that committing is its business (``defer_commit``).
    """
    package = model.Session.get(model.Package, pkg_dict["id"])
    if package is None or package.type != "dataset":
        return
    key = title_key(package.title or "")
    if not key or not package.owner_org:
        catalogue.release_title(package.id)
        return
    if catalogue.claim_title(package.id, package.owner_org, key):
        return
    finding = Finding("title-duplicate", field="title", value=package.title)
    message = finding_text(finding)
    if not context.get("defer_commit"):
        model.Session.rollback()
    raise tk.ValidationError({"title": [message]})
