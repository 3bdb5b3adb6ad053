"""The frame of the site: navigation, languages, what the law wants in the footer."""

from __future__ import annotations

from typing import Any

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou import config

__all__ = [
    "openhuizhou_is_official",
    "openhuizhou_languages",
    "openhuizhou_legal",
    "openhuizhou_navigation",
    "openhuizhou_site_url",
]


def openhuizhou_navigation() -> list[dict[str, Any]]:
    """The main parts of the site: ``[{"label": …, "url": …, "here": bool}, …]``."""
    parts = [
        (tk._("Home"), "home.index", "/"),
        (tk._("Datasets"), "dataset.search", "/dataset"),
        (tk._("Departments"), "organization.index", "/organization"),
        (tk._("Fields of opening"), "openhuizhou_themes.index", "/theme"),
        (tk._("Targets"), "openhuizhou_targets.index", "/targets"),
        (tk._("Developers"), "openhuizhou_home.developers", "/developers"),
    ]
    if openhuizhou_is_official():
        parts.append((tk._("Harvests"), "openhuizhou_harvests.index", "/harvest"))
    path = tk.request.path
    return [
        {
            "label": label,
            "url": tk.h.url_for(endpoint),
            "here": path == prefix or (prefix != "/" and path.startswith(prefix)),
        }
        for label, endpoint, prefix in parts
    ]


def openhuizhou_languages() -> list[dict[str, Any]]:
    """The offered languages with the address of this page in each, without those that are spoken already."""
    current = tk.h.lang()
    return [
        {
            "code": locale.short_name.replace("_", "-"),
            "name": locale.get_language_name() or locale.english_name,
            "url": tk.h.url_for(tk.h.current_url(), locale=locale.short_name),
        }
        for locale in tk.h.get_available_locales()
        if locale.short_name != current
    ]


def openhuizhou_legal() -> dict[str, str]:
    """Records of the site that are configured: ``icp``, ``police``, ``identifier``; others are left out."""
    return {name: value for name, value in config.legal_records().items() if value}


def openhuizhou_is_official() -> bool:
    """Whether the reader sees the sources of a department at least: an officer, a platform role, a sysadmin."""
    return tk.current_user.is_authenticated and tk.h.check_access("openhuizhou_harvest_run_list")


def openhuizhou_site_url() -> str:
    """Where the portal is reached, without a slash at the end."""
    return config.site_url()
