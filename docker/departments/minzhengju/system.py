"""市民政局: a drop folder of GB18030 CSV files with CRLF, as a Windows program writes them.

``manifest.csv`` has one row per file with its metadata, ``columns.csv`` one row per column of each file.
The files' times are the datasets' update times.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from common.datasets import Dataset, Department

ENCODING = "gb18030"
COLUMN_FIELDS = ("字段名", "英文名", "类型", "长度", "小数位", "单位", "主键", "说明")


def build(department: Department, folder: Path) -> None:
    """Write the data files, then the two files that describe them."""
    for dataset in department.datasets:
        path = folder / dataset.extra["file"]
        name = "英文名" if dataset.extra.get("header") == "ascii" else "字段名"
        _write(path, [column[name] for column in dataset.columns], department.rows(dataset.key))
        _set_time(path, dataset)
    _write_manifest(department, folder)
    listed = (
        [dataset.key, number, *(column.get(field, "") for field in COLUMN_FIELDS)]
        for dataset in department.datasets
        for number, column in enumerate(dataset.columns, 1)
    )
    _write(folder / "columns.csv", ["数据编号", "序号", *COLUMN_FIELDS], listed)


def _write_manifest(department: Department, folder: Path) -> None:
    fields = list(dict.fromkeys(field for dataset in department.datasets for field in dataset.metadata))
    rows = (
        [
            dataset.key,
            dataset.extra["file"],
            hashlib.sha256((folder / dataset.extra["file"]).read_bytes()).hexdigest(),
            *(dataset.metadata.get(field, "") for field in fields),
        ]
        for dataset in department.datasets
    )
    _write(folder / "manifest.csv", ["数据编号", "文件名", "校验值", *fields], rows)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding=ENCODING, newline="") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows(rows)


def _set_time(path: Path, dataset: Dataset) -> None:
    local = datetime.strptime(dataset.metadata["更新时间"], "%Y/%m/%d %H:%M")  # noqa: DTZ007 - zone follows
    moment = local.replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()
    os.utime(path, (moment, moment))
