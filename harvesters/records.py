"""What a source kind hands to the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ckanext.openhuizhou.domain.findings import Finding

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Link:
    """A file or service that stays where it is; the entry points to it. ``size`` in bytes, ``modified`` as given."""

    url: str
    name: str = ""
    format: str = ""
    description: str = ""
    mimetype: str = ""
    size: int | None = None
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One data set as its department describes it.

    ``payload`` holds the metadata in the department's own words and ``columns`` (``[{"name", "label", "type", …}]``).
    ``data_digest`` changes when the rows do; None when the source cannot tell, so that rows are read at each run.
    ``data_rule``: what the digest comes from (``domain.change_rules``).
    ``rows`` opens the rows anew at each call; None for an entry without a table.
    ``state`` is the kind's own memory (an ETag), kept with the record and given back at the next run.
    ``findings``: why the record cannot be read; it is then refused and the run goes on.
    """

    key: str
    modified: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    data_digest: str | None = None
    data_rule: str | None = None
    rows: Callable[[], Iterator[Row]] | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    links: tuple[Link, ...] = ()
