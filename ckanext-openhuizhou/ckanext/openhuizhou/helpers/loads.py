"""Words of the page that loads files into a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import ckan.plugins.toolkit as tk
from ckan.lib import uploader

from ckanext.openhuizhou.data.uploads import SUFFIXES
from ckanext.openhuizhou.domain.findings import N_

from .formats import openhuizhou_number

__all__ = [
    "openhuizhou_last_load",
    "openhuizhou_load_mode",
    "openhuizhou_load_news",
    "openhuizhou_load_state",
    "openhuizhou_load_suffixes",
    "openhuizhou_most_upload",
]

STATES: Final = {
    "queued": N_("Waiting"),
    "running": N_("Running"),
    "held": N_("Held back"),
    "done": N_("Published"),
    "refused": N_("Did not pass"),
    "failed": N_("Failed"),
    "cancelled": N_("Cancelled"),
}
MODES: Final = {
    "replace": N_("Replace all rows"),
    "append": N_("Append rows"),
    "upsert": N_("Update rows by key"),
}
_NEWS: Final = {
    "queued": N_("The file waits for a worker, which takes it in a moment."),
    "staging": N_("The file is being read and checked; {count} rows so far."),
    "publishing": N_("Every check is passed; the table is being published."),
    "held": N_("The checks held the table back; an officer decides. What was published before stays."),
    "done": N_("The table is published: {count} rows."),
    "refused": N_("The file was refused; what was published before stays. The findings below say what to mend."),
    "failed": N_("The load failed; what was published before stays. The findings below say why."),
    "cancelled": N_("The load was cancelled; what was published before stays."),
}


def openhuizhou_last_load(resource_id: str) -> dict[str, Any] | None:
    """The last load of a resource, for who may see its loads; None when there was none."""
    found = tk.get_action("openhuizhou_load_list")({}, {"resource_id": resource_id, "limit": 1})["results"]
    return found[0] if found else None


def openhuizhou_load_state(state: str) -> str:
    """The state of a load as a word."""
    return tk._(STATES.get(state, state))


def openhuizhou_load_mode(mode: str) -> str:
    """What a load does with the rows that are there."""
    return tk._(MODES.get(mode, mode))


def openhuizhou_load_news(load: Mapping[str, Any]) -> str:
    """Where a load stands, as a sentence."""
    key = load["state"]
    if key == "running":
        key = "publishing" if load["step"] == "publishing" else "staging"
    return tk._(_NEWS[key]).format(count=openhuizhou_number(load["rows"] or 0))


def openhuizhou_load_suffixes() -> str:
    """The ends of file names that a form offers to choose from."""
    return ",".join(SUFFIXES)


def openhuizhou_most_upload() -> int:
    """Megabytes of a file at most."""
    return uploader.get_max_resource_size()
