"""What ``up`` ends with and ``status`` shows: asked from the running portal and the system, never remembered."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Any

import psutil

from ckanext.openhuizhou.domain.text_table import table
from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.stack.departments import Department
from ckanext.openhuizhou.stack.ini import site_url
from ckanext.openhuizhou.stack.layout import Layout


def action(layout: Layout, name: str, **parameters: Any) -> Any:
    """The result of an action, asked as an anonymous visitor.

    :raises StackError: the portal does not answer, or answers with an error
    """
    address = f"{site_url(layout)}/api/3/action/{name}"
    if parameters:
        address += "?" + urllib.parse.urlencode(parameters)
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310  always http on 127.0.0.1
            return json.load(answer)["result"]
    except (urllib.error.URLError, OSError, ValueError, KeyError) as error:
        raise StackError("{address} does not answer: {error}", address=address, error=error) from error


def published(layout: Layout, systems: Sequence[Department]) -> str:
    """Open datasets by department, and the progress towards each target."""
    found = action(
        layout,
        "package_search",
        rows=0,
        fq="dataset_type:dataset",
        **{"facet.field": '["organization"]', "facet.limit": -1},
    )
    counts = {item["name"]: item["count"] for item in found["search_facets"]["organization"]["items"]}
    titles = {one["name"]: one["display_name"] for one in action(layout, "organization_list", all_fields=True)}
    names = list(dict.fromkeys([*(one.organization for one in systems), *counts]))
    rows = [(titles.get(name, name), counts.get(name, 0)) for name in names]
    text = table(("department", "datasets"), [*rows, ("total", found["count"])])
    targets = [
        (
            target["title"]["en"],
            target["count"],
            target["goal"],
            target["deadline"],
            "met" if target["met"] else "not met",
        )
        for target in action(layout, "openhuizhou_target_list")
    ]
    return text + "\n\n" + table(("target", "now", "goal", "by", ""), targets)


def memory(processes: Sequence[psutil.Process]) -> int:
    """Bytes in RAM that these processes use; what they share is counted once (proportional set size)."""
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except (psutil.Error, OSError):
            continue
    return total
