"""About thirty made-up entries of nine departments, made once through CKAN's actions and indexed by a real Solr."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
import yaml
from ckan import plugins
from ckan.tests import factories
from tests.factories import complete_entry

HERE = Path(__file__).parent
ENTRIES: list[dict[str, Any]] = yaml.safe_load((HERE / "entries.yaml").read_text(encoding="utf-8"))


class Catalogue:
    """What was made: the key in ``entries.yaml`` → the dataset."""

    def __init__(self, sysadmin: str) -> None:
        self.sysadmin = sysadmin
        self.datasets: dict[str, dict[str, Any]] = {}

    def add(self, key: str, **fields: Any) -> dict[str, Any]:
        dataset = tk.get_action("package_create")({"user": self.sysadmin}, entry_fields(**fields))
        self.datasets[key] = dataset
        return dataset

    def keys(self, found: dict[str, Any]) -> list[str]:
        """The keys of what a ``package_search`` found, best first."""
        names = {dataset["id"]: key for key, dataset in self.datasets.items()}
        return [names[result["id"]] for result in found["results"]]


def entry_fields(
    *, title: str, org: str, theme: str, category: str, notes: str, items: list[str], tags: list[str] | None = None
) -> dict[str, Any]:
    return complete_entry(
        type="dataset",
        title=title,
        owner_org=org,
        theme=theme,
        category=category,
        notes=notes,
        tags=[{"name": tag} for tag in tags or []],
        entry_state="published",
        demo=True,
        items=[{"name": name, "column": f"c{n}", "data_type": "string"} for n, name in enumerate(items)],
    )


@pytest.fixture(scope="module")
def catalogue(empty_database: Any, reset_index: Any) -> Iterator[Catalogue]:
    plugins.load_all()
    empty_database()
    reset_index()
    try:
        made = Catalogue(factories.Sysadmin()["name"])
        directory = yaml.safe_load((HERE.parents[2] / "config" / "departments.yaml").read_text(encoding="utf-8"))
        wanted = {entry["org"] for entry in ENTRIES}
        for department in directory["city"]:
            if department["slug"] in wanted:
                tk.get_action("organization_create")(
                    {"user": made.sysadmin},
                    {"name": department["slug"], "title": department["title"], "short_name": department["short_name"]},
                )
        for entry in ENTRIES:
            made.add(entry["id"], **{name: value for name, value in entry.items() if name != "id"})
        yield made
    finally:
        plugins.unload_all()
