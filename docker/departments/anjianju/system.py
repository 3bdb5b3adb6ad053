"""市安全生产监督管理局: Excel workbooks in a folder that a web server lists, as Apache does.

``GET /files/`` is the listing with the files' times (Asia/Shanghai) and sizes, ``GET /files/<name>`` a file.
``目录.xlsx`` describes the others. Text of the listing and names in its links are UTF-8.
"""

from __future__ import annotations

import html
import os
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote
from zoneinfo import ZoneInfo

from anjianju.workbooks import write_list, write_table
from common.datasets import Dataset, Department
from common.server import Reply, Request

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHANGHAI = ZoneInfo("Asia/Shanghai")
CATALOGUE = "目录.xlsx"


def build(department: Department, folder: Path) -> None:
    """Write the workbooks and the catalogue, each with the time of its last change."""
    times = {dataset.key: _modified(dataset) for dataset in department.datasets}
    for dataset in department.datasets:
        path = folder / dataset.extra["file"]
        write_table(path, dataset, department.rows(dataset.key), times[dataset.key].replace(tzinfo=None))
        os.utime(path, (times[dataset.key].timestamp(),) * 2)
    fields = list(dict.fromkeys(field for dataset in department.datasets for field in dataset.metadata))
    rows = [
        [dataset.key, dataset.extra["file"], dataset.extra["sheet"], *(dataset.metadata.get(field) for field in fields)]
        for dataset in department.datasets
    ]
    newest = max(times.values())
    write_list(folder / CATALOGUE, ["编号", "文件名", "工作表", *fields], rows, newest.replace(tzinfo=None))
    os.utime(folder / CATALOGUE, (newest.timestamp(),) * 2)


class FileListing:
    """Serves one flat folder of workbooks."""

    def __init__(self, folder: Path) -> None:
        self._files = {path.name: path for path in sorted(folder.glob("*.xlsx"))}

    def answer(self, request: Request) -> Reply:
        if request.path == "/files/":
            return self._listing()
        path = self._files[request.path.removeprefix("/files/")]
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return Reply(path.read_bytes(), XLSX, modified=modified)

    def refuse(self, status: HTTPStatus, text: str) -> Reply:
        body = f"<html><head><title>{status.value}</title></head><body><h1>{html.escape(text)}</h1></body></html>\n"
        return Reply(body.encode(), "text/html; charset=utf-8", status=status)

    def _listing(self) -> Reply:
        lines = [_line(path) for path in self._files.values()]
        body = "\n".join(
            [
                '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">',
                "<html><head><title>Index of /files</title></head><body>",
                "<h1>Index of /files</h1>",
                '<pre>     Name                    Last modified      Size<hr><a href="/">Parent Directory</a>',
                *lines,
                "<hr></pre></body></html>\n",
            ]
        )
        newest = max(path.stat().st_mtime for path in self._files.values())
        modified = datetime.fromtimestamp(newest, UTC)
        return Reply(body.encode(), "text/html; charset=utf-8", modified=modified)


def application(_department: Department, folder: Path) -> FileListing:
    """The listing over a filled folder."""
    return FileListing(folder)


def _line(path: Path) -> str:
    status = path.stat()
    changed = datetime.fromtimestamp(status.st_mtime, SHANGHAI)
    name = html.escape(path.name)
    return f'<a href="{quote(path.name)}">{name}</a>  {changed:%Y-%m-%d %H:%M}  {max(1, status.st_size // 1024)}K'


def _modified(dataset: Dataset) -> datetime:
    return datetime.fromisoformat(f"{dataset.metadata['更新日期']} 17:00:00").replace(tzinfo=SHANGHAI)
