"""XML 1.0: the dictionary first, then a ``row`` per row with an element per cell, named by the column's id.

NULL is an element that is not there. XML cannot hold most control characters: each becomes � (U+FFFD), and nothing
else changes. Carriage returns are written as references, because readers make line feeds of bare ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from xml.sax.saxutils import quoteattr

from ckanext.openhuizhou.domain.items import COLUMN_ID, Item

from .rows import Rows

#: What XML 1.0 cannot hold, even as a reference.
UNHELD: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
REPLACEMENT: Final = "\ufffd"
_SPECIAL: Final = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]")
_TEXTUAL: Final = frozenset({"string", "text"})


def write(rows: Rows) -> Iterator[bytes]:
    names = element_names(rows.columns)
    yield _head(rows.columns, names).encode()
    wrapped = [(_wrapping(name), item.data_type in _TEXTUAL) for name, item in zip(names, rows.columns, strict=True)]
    for batch in rows.batches():
        cells = [
            [wrap(escaped(cell)) if cell is not None else "" for cell in column]
            if textual
            else [wrap(cell) if cell is not None else "" for cell in column]
            for (wrap, textual), column in zip(wrapped, zip(*batch, strict=True), strict=True)
        ]
        yield ("<row>" + "</row>\n<row>".join(map("".join, zip(*cells, strict=True))) + "</row>\n").encode()
    yield b"</rows>\n</table>\n"


def element_names(columns: Sequence[Item]) -> list[str]:
    """Column ids are names of XML; what others called a column gets a number, and the dictionary says which is it."""
    return [
        item.column if COLUMN_ID.fullmatch(item.column) else f"column-{number}"
        for number, item in enumerate(columns, 1)
    ]


def escaped(text: str) -> str:
    """As the text of an element."""
    if not _SPECIAL.search(text):
        return text
    text = UNHELD.sub(REPLACEMENT, text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def attribute(value: str) -> str:
    """Quoted, as the value of an attribute."""
    return quoteattr(UNHELD.sub(REPLACEMENT, value), {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


def _wrapping(name: str) -> Callable[[str], str]:
    opening, closing = f"<{name}>", f"</{name}>"
    return lambda text: opening + text + closing


def _head(columns: Sequence[Item], names: Sequence[str]) -> str:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<table>", "<columns>"]
    for item, name in zip(columns, names, strict=True):
        said = {"element": name, "name": item.name, "type": item.data_type, "unit": item.unit}
        said |= {"id": item.column} if name != item.column else {}
        said |= {"description": item.description}
        attributes = " ".join(f"{key}={attribute(value)}" for key, value in said.items() if value)
        lines.append(f"<column {attributes}/>")
    return "\n".join([*lines, "</columns>", "<rows>", ""])
