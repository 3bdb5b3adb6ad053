"""Each published dataset has a UTF-8 file to download, with the table's rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import requests


def is_open(dataset: dict[str, Any]) -> bool:
    """Open, with a table here; a county's entries may only point to files of its own."""
    tables = [resource for resource in dataset["resources"] if resource.get("datastore_active")]
    return dataset["open_type"] == "unconditional" and bool(tables)


def test_every_open_dataset_has_its_file(open_datasets: list[dict[str, Any]], get: Callable[..., requests.Response]):
    with_tables = list(filter(is_open, open_datasets))
    assert len(with_tables) >= 24
    for dataset in with_tables:
        resource = next(r for r in dataset["resources"] if r.get("datastore_active"))
        answer = get(urlsplit(resource["url"]).path)
        assert answer.status_code == 200, resource["url"]
        rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        total = get("/api/3/action/datastore_search", resource_id=resource["id"], limit=0).json()["result"]["total"]
        assert len(rows) - 1 == total, dataset["title"]
        assert len(rows[0]) == len(dataset["items"])


def test_a_file_is_saved_under_its_chinese_name_and_never_shown_as_a_page(
    open_datasets: list[dict[str, Any]], get: Callable[..., requests.Response]
):
    dataset = next(filter(is_open, open_datasets))
    resource = next(r for r in dataset["resources"] if r.get("datastore_active"))
    answer = get(urlsplit(resource["url"]).path)
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert dataset["title"][:4] in unquote(disposition)
    assert "html" not in answer.headers["Content-Type"]
