"""What a person may put into the configuration of a source, beyond what its kind declares.

A secret is the department's, not the person's who edits: none can be read back, neither through the form nor by
sending it to another server. A change of address therefore asks for the secrets again. ``${name}`` and folders of this
machine belong to the operator: only platform officers set them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.domain.findings import N_
from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.harvesters.kinds import Option, Problem, config_problems
from ckanext.openhuizhou.model.harvest import Source
from ckanext.openhuizhou.schemas.yaml_text import plain_json
from ckanext.openhuizhou.transport.secrets import seal, secret_paths
from ckanext.openhuizhou.transport.variables import is_variable, without_secrets

_VARIABLE: Final = re.compile(r"\$\{[^${}]*\}")
_AUTHORITY: Final = re.compile(r"\s*([\w+.-]+://[^/?#]*|\$\{[^${}]*\})")
#: Options that name a server without being an address.
_SERVER_NAMES: Final = frozenset({"host", "server", "port"})
#: Options that may name a folder of this machine.
_FOLDER_NAMES: Final = frozenset({"url", "path", "folder"})
_REMOTE: Final = re.compile(r"\s*(?!file:)[a-z][\w+.-]*://", re.IGNORECASE)
#: Stands for a secret that was stored before, so that it counts as given.
_KEPT: Final = "***"


@dataclass(slots=True)
class CheckedConfig:
    """``config`` and ``secrets`` as they are to be stored; ``problems``: why they must not be."""

    config: dict[str, Any]
    secrets: dict[str, str]
    problems: list[Problem] = field(default_factory=list)


def checked_config(
    given: Mapping[str, Any],
    options: tuple[Option, ...],
    old: Source | None,
    removed: list[str],
    *,
    by_platform: bool,
) -> CheckedConfig:
    """Check a configuration that a person gave. ``old``: the source as it is stored; ``removed``: secrets to forget."""
    before = dict(old.config) if old is not None else {}
    kept = {path: token for path, token in (old.secrets if old else {}).items() if path not in removed}
    try:
        given = plain_json(_restored(given, before))
        config, secrets = seal(given, options, kept)
    except ConfigurationError as error:
        return CheckedConfig({}, {}, [Problem("", error.message, error.params)])
    checked = CheckedConfig(config, secrets)
    checked.problems += config_problems(_with_kept(given, secrets), options)
    checked.problems += _open_secrets(config, before)
    if not by_platform:
        checked.problems += _for_the_platform(config, dict(leaves(before)))
    checked.problems += _sent_elsewhere(checked, before, kept, options, by_platform=by_platform)
    return checked


def sentence(problem: Problem) -> str:
    """What is wrong, in the reader's language."""
    return tk._(problem.message).format(**problem.params)


def leaves(config: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted path and value of everything in a configuration that is neither a mapping nor a list."""
    if isinstance(config, Mapping):
        members = config.items()
    elif isinstance(config, list):
        members = enumerate(config)
    else:
        yield before, config
        return
    for name, value in members:
        yield from leaves(value, f"{before}.{name}" if before else str(name))


def addresses(config: Mapping[str, Any]) -> set[str]:
    """The servers that a configuration names, user names and passwords left out."""
    found: set[str] = set()
    for path, value in leaves(config):
        if (match := _AUTHORITY.match(str(value))) is not None:
            scheme, sign, authority = match[1].rpartition("://")
            # where there is a backslash, libraries disagree on which part is the host
            host = authority if "\\" in authority else authority.rpartition("@")[2]
            found.add(scheme + sign + host.lower())
        elif path.rpartition(".")[2] in _SERVER_NAMES:
            found.add(f"{path}={value}")
    return found


def _restored(given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """What was hidden when the configuration was shown, and comes back as it was shown, is what is stored."""
    shown = without_secrets(before)
    restored: dict[str, Any] = {}
    for name, value in given.items():
        if name in shown and value == shown[name]:
            value = before[name]
        elif isinstance(value, Mapping) and isinstance(before.get(name), Mapping):
            value = _restored(value, before[name])
        restored[name] = value
    return restored


def _with_kept(given: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """The configuration as it was given, with something where a secret is stored."""
    merged = {name: _with_kept(value, {}) if isinstance(value, Mapping) else value for name, value in given.items()}
    for path in secrets:
        *around, name = path.split(".")
        within = merged
        for part in around:
            inner = within.get(part)
            if not isinstance(inner, dict):
                inner = within[part] = {}
            within = inner
        if within.get(name) in (None, ""):
            within[name] = _KEPT
    return merged


def _open_secrets(config: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Problem]:
    """Passwords in addresses, and tokens in options that are not made for them, would be stored readable."""
    was, shown = dict(leaves(before)), dict(leaves(without_secrets(config)))
    for path, value in leaves(config):
        if shown.get(path) != value and was.get(path) != value:
            yield Problem(path, N_("no password or token may stand here: write it into the option that is made for it"))


def _for_the_platform(config: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Problem]:
    for path, value in leaves(config):
        if before.get(path) == value or not isinstance(value, str):
            continue
        if _VARIABLE.search(value):
            yield Problem(path, N_("only a platform officer may use ${{name}}"))
        elif path in _FOLDER_NAMES and not _REMOTE.match(value):
            yield Problem(
                path,
                N_("an address begins as in https://; only a platform officer may name a folder of this machine"),
            )


def _sent_elsewhere(
    checked: CheckedConfig,
    before: Mapping[str, Any],
    kept: Mapping[str, str],
    options: tuple[Option, ...],
    *,
    by_platform: bool,
) -> Iterator[Problem]:
    """Secrets that were stored for one server and would now be sent to another."""
    if not addresses(checked.config) - addresses(before):
        return
    again = N_("the address has changed: enter this again, so that no other system gets what was meant for the old one")
    was, now = dict(leaves(before)), dict(leaves(checked.config))
    for path in secret_paths(options):
        stored = path in kept and checked.secrets.get(path) == kept[path]
        variable = not by_platform and is_variable(now.get(path)) and now.get(path) == was.get(path)
        if stored or variable:
            yield Problem(path, again)
