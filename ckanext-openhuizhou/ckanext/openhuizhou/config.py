"""Typed readers of our options (declared in ``config_declaration.yaml``). No raw option name stands elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.domain.licences import Licence, read_licences
from ckanext.openhuizhou.domain.reference import Reference, read_reference
from ckanext.openhuizhou.domain.targets import Target, read_targets


def config_dir() -> Path:
    """Folder with departments, themes, targets, tasks and sources."""
    return Path(tk.config["ckanext.openhuizhou.config_dir"])


def reference() -> Reference:
    """Departments, fields and classification, read at first use; ``ConfigurationError`` when a file is wrong."""
    return _reference(config_dir())


_reference = cache(read_reference)


def targets() -> tuple[Target, ...]:
    """The city's targets, read at first use; ``ConfigurationError`` when the file is wrong."""
    return _targets(config_dir() / "targets.yaml")


_targets = cache(read_targets)


def licences() -> tuple[Licence, ...]:
    """The terms that entries can name, read at first use; ``ConfigurationError`` when the file is wrong."""
    return _licences(config_dir() / "licences.yaml")


_licences = cache(read_licences)


def source_variables_file() -> Path | None:
    """JSON object ``{"huanbaoju.url": "http://…", …}`` that fills ``${…}`` in source configurations; mode 600."""
    value = tk.config["ckanext.openhuizhou.source_variables_file"]
    return Path(value) if value else None


def secret_keys() -> tuple[str, ...]:
    """Keys for the secrets of sources (URL-safe Base64 of 32 bytes); the first encrypts, all open."""
    return tuple(tk.config["ckanext.openhuizhou.secret_keys"])


def looks_per_minute() -> int:
    """How many tests and previews of sources one user may start in a minute."""
    return int(tk.config["ckanext.openhuizhou.looks_per_minute"])


def allowed_hosts() -> frozenset[str]:
    """``host:port`` of private addresses that sources may read."""
    return frozenset(tk.config["ckanext.openhuizhou.allowed_hosts"])


def allowed_roots() -> tuple[Path, ...]:
    """Local folders below which drop folders may lie."""
    return tuple(Path(root).resolve() for root in tk.config["ckanext.openhuizhou.allowed_roots"])


def scheduler_interval() -> float:
    """Seconds between two ticks of the scheduler."""
    return max(0.1, float(tk.config["ckanext.openhuizhou.scheduler_interval"]))


def scores_interval() -> int:
    """Seconds between two looks for entries whose score has to be computed anew; 0: none is."""
    return tk.config["ckanext.openhuizhou.scores_interval"]


def daily_schedules() -> dict[str, str]:
    """What is done in a process of its own, and when (``domain.schedule``)."""
    names = ("retention", "reconcile", "links")
    return {name: tk.config[f"ckanext.openhuizhou.{name}_schedule"] for name in names}


def keep_runs_days() -> int:
    """For so many days a run is kept; longer, if it is one of the last of its source."""
    return tk.config["ckanext.openhuizhou.keep_runs_days"]


def keep_findings_days() -> int:
    """For so many days the findings and differences of a run are kept."""
    return tk.config["ckanext.openhuizhou.keep_findings_days"]


def max_links() -> int:
    """So many files and links an entry takes at most."""
    return tk.config["ckanext.openhuizhou.max_links"]


def keep_versions() -> int:
    """Of so many loads of a table the rows are kept; at least one."""
    return max(1, tk.config["ckanext.openhuizhou.keep_versions"])


def site_url() -> str:
    """Where the portal is reached, without a slash at the end."""
    return str(tk.config["ckan.site_url"]).rstrip("/")


def legal_records() -> dict[str, str]:
    """What a public site in China shows in its footer: ``icp``, ``police``, ``identifier``; empty when not set."""
    return {name: tk.config[f"ckanext.openhuizhou.{name}_record"] for name in ("icp", "police", "identifier")}
