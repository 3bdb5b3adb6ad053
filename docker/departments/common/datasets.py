"""What a department says it has (its ``datasets.yaml``) and the rows behind it (its ``tables.py``).

A dataset's metadata stays in the department's own words; nothing here knows what they mean.
"""

from __future__ import annotations

import hashlib
import importlib
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parents[1]
SEED = "2018"

Rows = Iterable[Sequence[object]]
RowSource = Callable[[random.Random], Rows]


@dataclass(frozen=True, slots=True)
class Dataset:
    """``metadata`` and ``columns`` are as the department writes them; ``extra`` holds what its server needs."""

    key: str
    metadata: dict[str, Any]
    columns: tuple[dict[str, Any], ...]
    extra: dict[str, Any]


class Department:
    """One department's datasets and rows. Rows are the same for the same seed, in any order of asking."""

    def __init__(self, name: str, seed: str = SEED) -> None:
        self.name = name
        self.seed = seed
        self._description = (HERE / name / "datasets.yaml").read_text(encoding="utf-8")
        declared = yaml.safe_load(self._description)
        self.datasets = tuple(_dataset(one, declared.get("defaults", {})) for one in declared["datasets"])
        self._tables: dict[str, RowSource] = importlib.import_module(f"{name}.tables").TABLES

    def rows(self, key: str) -> Iterator[Sequence[object]]:
        """The rows of one dataset, in the order of its columns."""
        rng = random.Random(f"{self.seed}/{self.name}/{key}")
        return iter(self._tables[key](rng))

    def fingerprint(self) -> str:
        """Changes when anything changes that the generated data depend on."""
        digest = hashlib.sha256(f"{self.seed}\n{self._description}".encode())
        for folder in (self.name, "common", "data"):
            for path in sorted((HERE / folder).iterdir()):
                if path.suffix in {".py", ".csv", ".geojson"}:
                    digest.update(path.read_bytes())
        return digest.hexdigest()


def _dataset(declared: dict[str, Any], defaults: dict[str, Any]) -> Dataset:
    metadata = {**defaults, **declared["metadata"]}
    extra = {key: value for key, value in declared.items() if key not in {"key", "metadata", "columns"}}
    # a value of null takes a default away: how a record loses its provider
    kept = {key: value for key, value in metadata.items() if value is not None}
    return Dataset(declared["key"], kept, tuple(declared["columns"]), extra)
