"""GeoJSON (RFC 7946): a point per row from a pair of coordinate columns, all columns as its properties.

RFC 7946 knows WGS 84 only, and took the member ``crs`` out. Places in CGCS2000, the national system, differ from WGS 84
by centimetres; a reader should know all the same, so ``crs`` names the system as the specification of 2008 did
(GDAL, QGIS and PostGIS read it). GCJ-02 and BD-09 are shifted by hundreds of metres and are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from ckanext.openhuizhou.domain.coordinates import CGCS2000, WGS84, Pair, pairs_of
from ckanext.openhuizhou.domain.items import Item

from .json_file import objects
from .rows import Rows

#: Coordinates stand as longitude, latitude in both, whatever order the register of EPSG gives.
CRS: Final = {CGCS2000: "urn:ogc:def:crs:EPSG::4490", WGS84: "urn:ogc:def:crs:OGC:1.3:CRS84"}


def pair_of(columns: Sequence[Item]) -> Pair | None:
    """The first pair of columns that is one place in a system that GeoJSON can name."""
    return next((pair for pair in pairs_of(columns) if pair.system in CRS), None)


def write(rows: Rows) -> Iterator[bytes]:
    """A FeatureCollection, one row a line. A row without both coordinates is a feature without a geometry."""
    pair = pair_of(rows.columns)
    if pair is None:
        raise LookupError("no coordinates")
    crs = {"type": "name", "properties": {"name": CRS[pair.system]}}
    head = {"type": "FeatureCollection", "coordinate_system": pair.system, "declared": pair.declared, "crs": crs}
    place = tuple(rows.columns.index(item) for item in (pair.longitude, pair.latitude))
    separator = json.dumps(head, ensure_ascii=False)[:-1] + ', "features": [\n'
    last = "\n]}\n"
    for batch in rows.batches():
        features = [
            '{"type":"Feature","geometry":' + _geometry(row[place[0]], row[place[1]]) + f',"properties":{properties}}}'
            for row, properties in zip(batch, objects(rows.columns, batch), strict=True)
        ]
        yield (separator + ",\n".join(features)).encode()
        separator = ",\n"
    yield (last if separator == ",\n" else separator + last).encode()


def _geometry(longitude: str | None, latitude: str | None) -> str:
    if longitude is None or latitude is None:
        return "null"
    return f'{{"type":"Point","coordinates":[{longitude},{latitude}]}}'
