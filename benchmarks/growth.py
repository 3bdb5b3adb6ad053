"""How time and memory grow with the source: 1,000, 10,000, 100,000 records, on an empty site each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from benchmarks import recorded
from benchmarks.results import Result, figure, rate, speed, under
from benchmarks.sites import Site, bare_config, prepare, say

SIZES = [int(size) for size in os.environ.get("BENCH_GROWTH", "1000,10000,100000").split(",")]
#: Records of the largest source that is read again, whose entries are copied in rather than harvested.
LARGEST = int(os.environ.get("BENCH_LARGEST", "300000"))
UNCHANGED_BAR, MEMORY_BAR, REBUILD_BAR, REBUILD_SECONDS = 5000, 300, 5, 60
#: CKAN's own rebuild is measured on the site with this many entries, or on the smallest that there is.
COMPARED = min(SIZES)


def measure(stack: Any) -> list[Result]:
    """First harvest, again unchanged, again with a 304, by size; then rebuilds of the index."""
    results: list[Result] = []
    for number, size in enumerate(SIZES):
        site = _site(stack, size, 6 + number)
        with recorded.served(_pages(stack, size)) as url:
            _point(site, url)
            prepare(site)
            results += _first_and_again(site, size, _pages(stack, size) / "page-1.json")
        results += _rebuilds(site, size)
    if LARGEST:
        results += _largest(stack)
    return results


def _pages(stack: Any, size: int) -> Path:
    folder = stack.layout.data / "pages" / str(size)
    if not (folder / "page-1.json").exists():
        recorded.write_pages(folder, size)
    return folder


def _site(stack: Any, size: int, number: int) -> Site:
    config = bare_config(stack.layout.data / f"growth{size}" / "config")
    return Site(stack, f"growth{size}", number, config_dir=config)


def _point(site: Site, url: str) -> None:
    """The site's only source reads this address."""
    path = site.config_dir / "sources" / "bench" / "recorded.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(recorded.source_of(url), allow_unicode=True), "utf-8")
    site.changes = {"ckanext.openhuizhou.allowed_hosts": url.removeprefix("http://")}


def _first_and_again(site: Site, size: int, first_page: Path) -> list[Result]:
    say(f"{size} records: first harvest")
    first = _run(site, "added", size)
    say(f"{size / first['seconds']:.1f} records/s, {first['mebibytes']} MiB")
    first_page.touch()  # the source no longer says that nothing has changed, although nothing has
    again = _run(site, "unchanged", size)
    quick = _run(site, "unchanged", size)
    say(f"unchanged {size / again['seconds']:.0f} records/s, {again['mebibytes']} MiB; 304 {quick['seconds']:.2f} s")
    return [
        figure(f"{size} records: first harvest", size / first["seconds"], "records/s"),
        under(f"{size} records: memory of the first harvest", first["mebibytes"], "MiB", MEMORY_BAR),
        speed(f"{size} records: unchanged, every record read", size / again["seconds"], "records/s", UNCHANGED_BAR),
        under(f"{size} records: memory when unchanged", again["mebibytes"], "MiB", MEMORY_BAR),
        under(f"{size} records: requests when the source says 304", quick["requests"], "requests", 1),
    ]


def _run(site: Site, counter: str, size: int) -> dict[str, Any]:
    run = site.drive("ours", recorded.SOURCE)
    if (run["state"], run[counter]) != ("done", size):
        raise RuntimeError(f"not {size} {counter}: {run}")
    return run


def _rebuilds(site: Site, size: int) -> list[Result]:
    ours = site.drive("rebuild", "ours")["seconds"]
    say(f"index of {size}: ours in {ours:.1f} s")
    results = [figure(f"{size} entries: index rebuild", size / ours, "entries/s")]
    if size == 10_000:
        results.append(under("10000 entries: index rebuild", ours, "s", REBUILD_SECONDS))
    if size == COMPARED:
        theirs = site.drive("rebuild", "ckan")["seconds"]
        results.append(rate("index rebuild", size / ours, "entries/s", size / theirs, REBUILD_BAR))
    return results


def _largest(stack: Any) -> list[Result]:
    """Memory and speed of reading ``LARGEST`` records that have not changed."""
    site = _site(stack, LARGEST, 6 + len(SIZES))
    with recorded.served(_pages(stack, LARGEST)) as url:
        _point(site, url)
        prepare(site)
        say(f"copying {LARGEST} records")
        site.drive("copy_records", recorded.SOURCE)
        again = _run(site, "unchanged", LARGEST)
    return [
        speed(f"{LARGEST} records: unchanged", LARGEST / again["seconds"], "records/s", UNCHANGED_BAR),
        under(f"{LARGEST} records: memory when unchanged", again["mebibytes"], "MiB", MEMORY_BAR),
    ]
