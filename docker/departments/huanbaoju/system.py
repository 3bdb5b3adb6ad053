"""市环境保护局: a paged JSON data service.

``GET /api/v1/catalog?page=&size=`` lists the datasets, ``GET /api/v1/datasets/<编号>/rows?page=&size=`` the rows.
Pages count from 1. Everything is wrapped as ``{"code": 0, "msg": "成功", "data": {"total", "page", "size", "list"}}``.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from zoneinfo import ZoneInfo

from common.datasets import Dataset, Department
from common.server import Reply, Request
from common.store import RowStore, build_sqlite

MAX_SIZE = 10_000
_ROWS = re.compile(r"/api/v1/datasets/([A-Z0-9-]+)/rows")

build = build_sqlite


class JsonService:
    """Answers from the store; each answer's ETag depends on the data alone, never on the time of asking."""

    def __init__(self, department: Department, folder: Path) -> None:
        self._datasets = {dataset.key: dataset for dataset in department.datasets}
        self._store = RowStore(folder)

    def answer(self, request: Request) -> Reply:
        if request.path == "/api/v1/catalog":
            return self._catalog(request)
        if match := _ROWS.fullmatch(request.path):
            return self._rows(self._datasets[match[1]], request)
        raise LookupError(request.path)

    def refuse(self, status: HTTPStatus, text: str) -> Reply:
        return Reply(_json({"code": status.value, "msg": text, "data": None}), status=status)

    def _catalog(self, request: Request) -> Reply:
        page, size = _paging(request, default=20)
        listed = self._entries[(page - 1) * size : page * size]
        newest = max(_modified(dataset) for dataset in self._datasets.values())
        return Reply(_wrapped(len(self._entries), page, size, listed), modified=newest)

    @cached_property
    def _entries(self) -> list[dict]:
        return [
            {
                "数据集编号": dataset.key,
                **dataset.metadata,
                "记录数": self._store.count(dataset.key),
                "校验值": self._store.digest(dataset.key),
                "columns": list(dataset.columns),
            }
            for dataset in self._datasets.values()
        ]

    def _rows(self, dataset: Dataset, request: Request) -> Reply:
        page, size = _paging(request, default=1000)
        names = [column["name"] for column in dataset.columns]
        booleans = {index for index, column in enumerate(dataset.columns) if column["type"] == "布尔"}
        rows = [
            {name: bool(cell) if index in booleans else cell for index, (name, cell) in enumerate(zip(names, row))}  # noqa: B905 - checked by the table's own width
            for row in self._store.page(dataset, page, size)
        ]
        body = _wrapped(self._store.count(dataset.key), page, size, rows)
        version = f"{self._store.digest(dataset.key)}/{page}/{size}"
        return Reply(body, version=version, modified=_modified(dataset))


def application(department: Department, folder: Path) -> JsonService:
    """The service over a filled folder."""
    return JsonService(department, folder)


def _modified(dataset: Dataset) -> datetime:
    local = datetime.fromisoformat(dataset.metadata["最后更新时间"]).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    return local.astimezone(UTC)


def _paging(request: Request, default: int) -> tuple[int, int]:
    page, size = int(request.query.get("page", 1)), int(request.query.get("size", default))
    if page < 1 or not 1 <= size <= MAX_SIZE:
        raise ValueError(f"page≥1，1≤size≤{MAX_SIZE}")
    return page, size


def _wrapped(total: int, page: int, size: int, listed: list[dict]) -> bytes:
    return _json({"code": 0, "msg": "成功", "data": {"total": total, "page": page, "size": size, "list": listed}})


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
