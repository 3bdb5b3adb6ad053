"""A table's description as CSV on the Web (W3C: https://www.w3.org/TR/tabular-metadata/), for the published CSV file.

Titles are the file's Chinese headers, names the column ids of the API. The standard knows no code lists; what a code
means stands in the column's description.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from .item_values import TEXTUAL, codes_of, limit_text
from .items import Item

#: ``-`` is the only mark in a language's code; the namespace is the standard's, not an address to be read.
CONTEXT: Final = ["http://www.w3.org/ns/csvw", {"@language": "zh"}]
MEDIA_TYPE: Final = "application/csvm+json"
_BASES: Final[Mapping[str, Mapping[str, str]]] = {
    "string": {"base": "string"},
    "text": {"base": "string"},
    "integer": {"base": "integer"},
    # a source may write 1e-3, which is no decimal of XML Schema
    "number": {"base": "number"},
    "currency": {"base": "decimal"},
    "date": {"base": "date", "format": "yyyy-MM-dd"},
    "datetime": {"base": "datetime", "format": "yyyy-MM-dd HH:mm:ssXXX"},
    "boolean": {"base": "boolean", "format": "true|false"},
}
#: With up to six digits of a second, none included.
_FRACTIONS: Final = "yyyy-MM-dd HH:mm:ss.SSSSSSXXX"


def metadata(
    items: Sequence[Item],
    url: str,
    about: Mapping[str, Any] | None = None,
    fractions: Collection[str] | None = None,
) -> dict[str, Any]:
    """The document as JSON. ``url``: of the CSV file, absolute or as seen from the document. ``about``: common
    properties of the table with their prefix (``dc:title``, …); empty ones are left out. ``fractions``: columns of
    moments with parts of a second; None where that is not known.
    """
    schema: dict[str, Any] = {"columns": [_column(item, fractions) for item in items]}
    if key := [_name(item) for item in items if item.is_key]:
        schema["primaryKey"] = key
    return {
        "@context": CONTEXT,
        "url": url,
        **{name: value for name, value in (about or {}).items() if value},
        "dialect": {"encoding": "utf-8", "header": True, "delimiter": ",", "quoteChar": '"', "doubleQuote": True},
        "tableSchema": schema,
    }


def _name(item: Item) -> str:
    """A variable's name in a URI template."""
    return quote(item.column, safe="").replace("-", "%2D").replace("~", "%7E")


def _column(item: Item, fractions: Collection[str] | None) -> dict[str, Any]:
    column: dict[str, Any] = {"name": _name(item), "titles": item.name or item.column, "datatype": _datatype(item)}
    if item.data_type == "datetime" and (fractions is None or item.column in fractions):
        column["datatype"]["format"] = _FRACTIONS
    codes = "; ".join(f"{code}={label}" if label else code for code, label in codes_of(item).items())
    if description := "\n".join(part for part in (item.description, codes) if part):
        column["dc:description"] = description
    if item.unit:
        column["schema:unitText"] = item.unit
    if item.required or item.is_key:
        column["required"] = True
    return column


def _datatype(item: Item) -> dict[str, Any]:
    datatype: dict[str, Any] = dict(_BASES[item.data_type])
    if item.data_type in TEXTUAL:
        if item.length:
            datatype["maxLength"] = item.length
        if item.pattern:
            datatype["format"] = f"({item.pattern})" if "|" in item.pattern else item.pattern
    # the standard does not say whether a limit is spelled by the column's format; for moments the two differ
    for name in () if item.data_type == "datetime" else ("minimum", "maximum"):
        try:
            limit = limit_text(item, getattr(item, name))
        except ValueError:
            continue  # it checks nothing, and the entry's own check has said so
        if limit is not None:
            datatype[name] = limit
    return datatype
