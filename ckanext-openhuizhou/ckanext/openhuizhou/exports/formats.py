"""The formats in which tables can be taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ckanext.openhuizhou.domain.items import Item

from . import csv_file, geojson, json_file, parquet_file, xlsx, xml_file
from .rows import Rows


def _always(columns: Sequence[Item]) -> bool:
    return bool(columns)


@dataclass(frozen=True, slots=True)
class Format:
    """``name`` stands in addresses, ``label`` is what people read; ``write`` gives the file piece by piece.

    ``fits``: whether a table of these columns can be had in it.
    """

    name: str
    label: str
    suffix: str
    media_type: str
    write: Callable[[Rows], Iterator[bytes]]
    fits: Callable[[Sequence[Item]], bool] = _always


def _places(columns: Sequence[Item]) -> bool:
    return geojson.pair_of(columns) is not None


#: In the order of the download box.
FORMATS: Final[dict[str, Format]] = {
    format_.name: format_
    for format_ in (
        Format("csv", "CSV", ".csv", "text/csv; charset=utf-8", csv_file.write),
        Format(
            "xlsx", "XLSX", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx.write
        ),
        Format("json", "JSON", ".json", "application/json", json_file.write),
        Format("jsonl", "JSON Lines", ".jsonl", "application/x-ndjson; charset=utf-8", json_file.write_lines),
        Format("xml", "XML", ".xml", "application/xml; charset=utf-8", xml_file.write),
        Format("parquet", "Parquet", ".parquet", "application/vnd.apache.parquet", parquet_file.write),
        Format("geojson", "GeoJSON", ".geojson", "application/geo+json", geojson.write, _places),
    )
}
