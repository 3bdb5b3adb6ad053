"""What our loader makes of tables that other projects keep for their tests; writes docs/other-projects-tables.md.

    CKAN_INI=… python -m tests.integration.data.other_tables [--check]

A file is loaded as an office would do it that knows nothing of it: the columns are those that the file names, every
one a text. What is recorded is what came out: rows and columns in the DataStore, or the finding that refused it.
"""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from ckanext.datastore.backend.postgres import get_read_engine

from ckanext.openhuizhou.data import tables
from ckanext.openhuizhou.data.table_file import FileSource, open_table
from ckanext.openhuizhou.domain.items import Item
from ckanext.openhuizhou.errors import TableRefused

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "tests" / "data" / "tables" / "other"
PAGE = ROOT / "docs" / "other-projects-tables.md"
PROJECTS = {
    "csv-spectrum": "npm package csv-spectrum 2.0.0, folder `csvs`, BSD-2-Clause; compared with its folder `json`",
    "frictionless": "frictionlessdata/frictionless-py at 44661ad, folder `data`, MIT; a choice of small files",
}
_HEAD = """# Tables of other projects

What our loader makes of tables that other projects keep for their own tests; the files are in
`tests/data/tables/other`. Made by `tests/integration/data/other_tables.py`, checked by `test_other_tables.py`. Every
column is loaded as text under the name that the file gives it; what refuses a file is the kind of a finding.

Several are meant to be read with a dialect that comes beside the file (comments, no header, a quotation mark of its
own). Nothing says so to our loader, which refuses a row of another width, or takes the first row for the names. A blank
before a quotation mark makes the mark a letter, as RFC 4180 has it.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``rows``: the cells of the published table, None where it was refused; ``refused``: the kinds of the findings."""

    file: Path
    names: tuple[str, ...] = ()
    rows: list[list[str | None]] | None = None
    refused: tuple[str, ...] = ()

    def told(self) -> str:
        if self.rows is None:
            return f"refused: {', '.join(self.refused)}"
        names = ", ".join(self.names[:6]) + (", …" if len(self.names) > 6 else "")
        return f"{len(self.rows)} × {len(self.names)}: {names}"


def files(project: str) -> list[Path]:
    """The tables of a project; its licence is none."""
    return sorted(path for path in (FOLDER / project).iterdir() if path.suffix not in (".md", ".json"))


def outcome(path: Path) -> Outcome:
    """Load one file into the DataStore, read it from there, and drop it."""
    resource_id = str(uuid.uuid4())
    source = FileSource(path, path.name)
    try:
        with open_table(source, ()) as table:
            names = table.columns
        items = [Item(name, f"c{number}", "string") for number, name in enumerate(names, 1)]
        tables.publish_table(tables.stage_file(resource_id, items, source), "other")
        return Outcome(path, names, _rows(resource_id, items))
    except TableRefused as error:
        return Outcome(path, refused=tuple(sorted({finding.kind for finding in error.findings})))
    finally:
        tables.drop_table(resource_id)


def _rows(resource_id: str, items: list[Item]) -> list[list[str | None]]:
    table = sa.table(resource_id, sa.column("_id"), *(sa.column(item.column) for item in items))
    wanted = sa.select(*(table.c[item.column] for item in items)).order_by(table.c._id)
    with get_read_engine().connect() as connection:
        return [list(row) for row in connection.execute(wanted)]


def rendered() -> str:
    """The page, out of loads that are done now."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    for project, origin in PROJECTS.items():
        outcomes = [outcome(path) for path in files(project)]
        loaded = sum(found.rows is not None for found in outcomes)
        yield f"## {project}\n\n{origin}. {len(outcomes)} files, {loaded} loaded, {len(outcomes) - loaded} refused.\n"
        yield "| file | what comes of it |\n| --- | --- |"
        for found in outcomes:
            told = found.told().replace("|", "\\|").replace("\n", " ")
            yield f"| `{found.file.name}` | {told} |"
        yield ""


def main(arguments: list[str]) -> int:
    from ckan.cli import CKANConfigLoader
    from ckan.config.middleware import make_app

    app = make_app(CKANConfigLoader(os.environ["CKAN_INI"]).get_config())
    with app._wsgi_app.test_request_context():
        text = rendered()
    if arguments == ["--check"]:
        return 0 if PAGE.read_text("utf-8") == text else 1
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
