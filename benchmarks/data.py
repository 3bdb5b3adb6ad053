"""A table's way from a file to its readers, against what PostgreSQL alone needs and against ckanext-xloader 2.6."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.drivers import table_data
from benchmarks.results import Result, figure, rate, under
from benchmarks.sites import PROJECT, Site, prepare, say, services

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
#: A workbook of so many rows; and so many for the reader of xloader that guesses types, a thousand rows a second or so.
SHEET_ROWS = min(ROWS, 100_000)
GUESSED_ROWS = min(ROWS, 100_000)
#: Each is measured so often, in turns; the fastest counts.
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "2"))
#: As fast as raw COPY divided by 1.5; times xloader; MiB; seconds; of COPY TO STDOUT; milliseconds.
RAW_BAR, XLOADER_BAR, MEMORY_BAR, SHEET_BAR, EXPORT_BAR, PAGE_BAR = 1 / 1.5, 5, 300, 10, 0.5, 100
RESOURCE = "be000000-0000-4000-8000-000000000005"
SHEET = "be000000-0000-4000-8000-000000000006"
ENVIRONMENT = PROJECT / "var" / "bench-xloader"
XLOADER = ["ckanext-xloader==2.6.0"]


def measure() -> list[Result]:
    """1,000,000 rows of 12 columns from a file to readers, against raw COPY and ckanext-xloader 2.6; then what
    readers get of them."""
    python = xloader_environment()
    with services() as stack:
        files = _files(stack.layout.data / "tables")
        ours = Site(stack, "data", 10)
        prepare(ours)
        seconds, loads = _loads(ours, files)
        other = Site(stack, "xloader", 11, python, {"ckan.plugins": "xloader datastore"})
        return [*loads, *_against_xloader(other, files, seconds), *_readers(ours)]


def xloader_environment() -> Path:
    """The Python of an environment with CKAN and ckanext-xloader, apart from the project's own."""
    python, ready = ENVIRONMENT / "bin" / "python", ENVIRONMENT / ".ready"
    wanted = hashlib.sha256((PROJECT / "requirements.lock").read_bytes() + repr(XLOADER).encode()).hexdigest()
    if not ready.exists() or ready.read_text() != wanted:
        say("making the environment of ckanext-xloader")
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
        lock = ["--constraint", "requirements.lock"]
        subprocess.run([*install, *lock, "ckan[requirements]==2.12.0", "psycopg2-binary"], cwd=PROJECT, check=True)
        subprocess.run([*install, *XLOADER], cwd=PROJECT, check=True)
        ready.write_text(wanted)
    return python


def _files(folder: Path) -> dict[str, Path]:
    """The tables, made once for each size."""
    folder.mkdir(parents=True, exist_ok=True)
    version = hashlib.sha256(Path(table_data.__file__).read_bytes()).hexdigest()[:8]
    wanted: dict[str, tuple[str, Any]] = {
        "csv": (f"{ROWS}.csv", lambda path: table_data.write_csv(path, ROWS)),
        "gb18030": (f"{ROWS}-gb18030.csv", lambda path: table_data.write_csv(path, ROWS, "gb18030")),
        "guessed": (f"{GUESSED_ROWS}-guessed.csv", lambda path: table_data.write_csv(path, GUESSED_ROWS)),
        "xlsx": (f"{SHEET_ROWS}.xlsx", lambda path: table_data.write_xlsx(path, SHEET_ROWS)),
    }
    paths = {}
    for kind, (name, write) in wanted.items():
        paths[kind] = folder / f"{version}-{name}"
        if not paths[kind].exists():
            say(f"writing {name}")
            part = paths[kind].with_suffix(".part")
            write(part)
            part.rename(paths[kind])
    return paths


def _loads(site: Site, files: dict[str, Path]) -> tuple[float, list[Result]]:
    """Seconds of our load, and the figures of loads that need no other program."""
    ours, raw = [], []
    for _ in range(ROUNDS):
        ours.append(_load(site, "load_table", ROWS, str(files["csv"]), RESOURCE))
        raw.append(_load(site, "raw_copy", ROWS, str(files["csv"]), RESOURCE))
    chinese = _load(site, "load_table", ROWS, str(files["gb18030"]), RESOURCE)
    sheet = _load(site, "load_table", SHEET_ROWS, str(files["xlsx"]), SHEET)
    seconds = min(run["seconds"] for run in ours)
    copied = min(run["seconds"] for run in raw)
    return seconds, [
        rate(f"load of {ROWS} rows (baseline: raw COPY and indexes)", ROWS / seconds, "rows/s", ROWS / copied, RAW_BAR),
        figure(f"load of {ROWS} rows", seconds, "s"),
        figure(f"load of {ROWS} rows in GB18030", chinese["seconds"], "s"),
        under(f"load of {ROWS} rows: memory above idle", max(run["mebibytes"] for run in ours), "MiB", MEMORY_BAR),
        under(f"load of a workbook of {SHEET_ROWS} rows", sheet["seconds"], "s", SHEET_BAR),
        under("load of a workbook: memory above idle", sheet["mebibytes"], "MiB", MEMORY_BAR),
        figure("load of a workbook: memory of the process that reads it", sheet["children"], "MiB"),
    ]


def _against_xloader(site: Site, files: dict[str, Path], seconds: float) -> list[Result]:
    say("making the site of xloader")
    site.create()
    copied = _load(site, "xloader", ROWS, str(files["csv"]), "csv")
    guessed = _load(site, "xloader", GUESSED_ROWS, str(files["guessed"]), "table")
    of_guessed = GUESSED_ROWS / guessed["seconds"]
    return [
        rate(
            f"load of {ROWS} rows (baseline: xloader, all text)",
            ROWS / seconds,
            "rows/s",
            ROWS / copied["seconds"],
            XLOADER_BAR,
        ),
        rate(f"load of {ROWS} rows (baseline: xloader, types of {GUESSED_ROWS})", ROWS / seconds, "rows/s", of_guessed),
    ]


def _readers(site: Site) -> list[Result]:
    """What readers get of the table that was loaded."""
    read = site.drive("read_table", RESOURCE)
    say(f"export and pages: {read}")
    deep = read["deep_row"]
    return [
        rate(
            f"export of {ROWS} rows as CSV (baseline: COPY TO STDOUT)",
            ROWS / read["export"],
            "rows/s",
            ROWS / read["copy"],
            EXPORT_BAR,
        ),
        under("export: memory above idle", read["mebibytes"], "MiB", MEMORY_BAR),
        under("first page of the table", read["first_page"] * 1000, "ms", PAGE_BAR),
        under(f"page at row {deep}", read["deep_page"] * 1000, "ms", PAGE_BAR),
        under("first page, sorted by another column", read["sorted_page"] * 1000, "ms", PAGE_BAR),
        figure("profile of all columns", read["profile"], "s"),
    ]


def _load(site: Site, driver: str, expected: int, *arguments: str) -> dict[str, Any]:
    """One run of a driver that loads a file.

    Raises:
        RuntimeError: it loaded something else than the file's rows.
    """
    run = site.drive(driver, *arguments)
    if run["rows"] != expected:
        raise RuntimeError(f"{driver} loaded {run['rows']} of {expected} rows")
    say(f"{driver} {Path(arguments[0]).name}: {run['seconds']:.2f} s")
    return run
