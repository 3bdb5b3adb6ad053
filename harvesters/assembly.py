"""A source made ready to be read: mapping and configuration checked, secrets and variables in their places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.harvesters.kinds import Reading, SourceKind, check_config, kind_named, mapping_of
from ckanext.openhuizhou.harvesters.mapping import RecordMapping, load_mapping
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.model.harvest import Source
from ckanext.openhuizhou.transport.guard import Guard
from ckanext.openhuizhou.transport.http import HttpClient, Limits
from ckanext.openhuizhou.transport.secrets import hide_secrets, open_config
from ckanext.openhuizhou.transport.variables import Variables


@dataclass(frozen=True, slots=True)
class Assembly:
    """``options``: of the kind, with their defaults. ``variables`` takes the source's secrets out of every text."""

    mapping: RecordMapping
    kind: type[SourceKind]
    options: dict[str, Any] = field(repr=False)
    variables: Variables

    def opened(self, reading: Reading) -> SourceKind:
        """The kind for one reading."""
        return self.kind(self.options, reading)


def assembled(source: Source, variables: Variables) -> Assembly:
    """A stored source.

    Raises:
        ConfigurationError: naming file and place.
    """
    opened = open_config(variables.expand(source.config), source.secrets)
    return assemble(source.name, source.kind, opened, source.mapping, variables)


def assemble(
    name: str, kind: str, opened: Mapping[str, Any], mapping: Mapping[str, Any], variables: Variables
) -> Assembly:
    """A source from its parts; ``opened``: the configuration with secrets and variables filled in.

    Raises:
        ConfigurationError: naming file and place.
    """
    place = Place(name)
    kind_class = kind_named(kind, place / "kind")
    options = check_config(opened, kind_class.options, place / "config")
    hide_secrets(variables, options, kind_class.options)
    return Assembly(load_mapping(mapping_of(kind_class, mapping), place / "mapping"), kind_class, options, variables)


def guarded_client(limits: Limits | None = None) -> HttpClient:
    """The only way out: to public addresses and to what the operator has allowed."""
    return HttpClient(Guard(config.allowed_hosts(), config.allowed_roots()), limits)


def redacted(variables: Variables, finding: Finding) -> Finding:
    """The finding without any secret of the source."""
    return Finding(
        finding.kind,
        finding.record,
        finding.field,
        finding.row,
        finding.column,
        None if finding.value is None else variables.redact(finding.value),
        variables.redact_all(dict(finding.params)),
    )
