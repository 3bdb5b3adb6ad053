"""A source of any size: JSON pages that are written once and served as files, so that the server costs next to nothing.

A record has what a department's catalogue has: thirty fields, about 2 kB. The same number gives the same bytes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.sites import wait_for
from ckanext.openhuizhou.stack.ports import HOST, find_free

PER_PAGE = 1000
SOURCE = "bench-recorded"
_WORDS = ("监测", "登记", "许可", "统计", "名录", "台账", "年报", "巡查", "评价", "公示")


def record(number: int) -> dict[str, Any]:
    """One data set as a department describes it, with two files that stay where they are."""
    word = _WORDS[number % len(_WORDS)]
    return {
        "id": f"ZL-{number:07}",
        "名称": f"第{number:06}号{word}数据（演示数据）",
        "摘要": f"第{number}号{word}结果，由业务科室每月汇总，供社会公众查询使用。" * 3,
        "关键词": f"{word},监测点{number % 500}",
        "更新频率": "每月",
        "联系科室": "数据科（演示）",
        "版本": str(number % 7),
        **{f"附加项{extra:02}": f"{word}-{number:07}-{extra:02}" for extra in range(20)},
        "文件": [
            {"name": "数据表", "format": "CSV", "url": f"http://data.example.org/{number}.csv"},
            {"name": "说明", "format": "PDF", "url": f"http://data.example.org/{number}.pdf"},
        ],
        "columns": [
            {"name": "station_code", "label": "站点编号", "type": "string"},
            {"name": "observed_at", "label": "监测时间", "type": "datetime"},
            {"name": "value", "label": "监测值", "type": "number"},
        ],
    }


def write_pages(folder: Path, count: int) -> None:
    """Pages of a thousand records, each naming the next."""
    folder.mkdir(parents=True, exist_ok=True)
    for page, first in enumerate(range(1, count + 1, PER_PAGE), 1):
        last = min(first + PER_PAGE, count + 1)
        following = f"page-{page + 1}.json" if last <= count else None
        content = {"total": count, "next": following, "list": [record(number) for number in range(first, last)]}
        (folder / f"page-{page}.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder behind a server that answers 304 to If-Modified-Since; yields its address."""
    port = find_free()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", HOST, "--directory", str(folder)]
    log = folder.parent / f"{folder.name}.log"
    with log.open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_for(f"http://{HOST}:{port}/page-1.json", server, log)
        yield f"http://{HOST}:{port}"
    finally:
        server.terminate()
        server.wait(30)


def source_of(url: str) -> dict[str, Any]:
    """The source as its YAML file says it."""
    return {
        "source": {
            "name": SOURCE,
            "title": "演示来源",
            "organization": "huanbaoju",
            "kind": "json-api",
            "approved": True,
            "config": {
                "url": f"{url}/page-1.json",
                "records": "list",
                "key": "id",
                "digest": "版本",
                "paging": {"next": "next", "total": "total"},
                "links": {"list": "文件", "url": "url", "name": "name", "format": "format"},
                "covers_data": True,
            },
        },
        "mapping": {
            "fields": {
                "title": {"from": "名称"},
                "notes": {"from": "摘要"},
                "tag_string": {"from": "关键词", "split": ","},
                "category": {"const": "211001"},
                "theme": {"const": "environment"},
                "open_type": {"const": "unconditional"},
                "share_type": {"const": "unconditional"},
                "share_way": {"const": "file"},
                "format_class": {"const": "spreadsheet"},
                "update_cycle": {"from": "更新频率", "codes": {"每月": "monthly"}},
                "contact_name": {"from": "联系科室"},
                "demo": {"const": True},
            },
            "items": {
                "from": "columns",
                "name": {"from": "label"},
                "column": {"from": "name"},
                "data_type": {"from": "type"},
            },
        },
    }
