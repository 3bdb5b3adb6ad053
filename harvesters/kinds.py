"""Source kinds: the registry, and the base class that says what a kind is.

A new kind is one module in ``sources/`` with one class below ``SourceKind``, marked ``@source_kind``, plus its
paragraph in docs/harvest-mapping.md and its tests.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Final, TypeVar

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.harvesters import sources
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.transport.http import HttpClient


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a kind's configuration. ``types``: what YAML may give. ``options``: of a nested mapping.

    ``label`` and ``help`` are msgids for the form. ``secret``: stored encrypted, never shown. ``choices``: all that it
    may be.
    """

    name: str
    types: tuple[type, ...] = (str,)
    required: bool = False
    default: Any = None
    options: tuple[Option, ...] | None = None
    label: str = ""
    help: str = ""
    secret: bool = False
    choices: tuple[str, ...] | None = None


#: How a web server is told who asks; shared by every kind that reads over HTTP.
TOKEN_OPTIONS: Final = (
    Option("token", secret=True),
    Option("token_header", default="Authorization"),
    Option("token_prefix", default="Bearer "),
)


def authorized(client: HttpClient, config: Mapping[str, Any], **headers: str) -> HttpClient:
    """A client of its own session that sends the source's token with each request."""
    if config["token"]:
        headers[config["token_header"]] = config["token_prefix"] + config["token"]
    return client.with_headers(headers)


def check_config(config: Any, options: tuple[Option, ...], place: Place) -> dict[str, Any]:
    """The configuration with its defaults.

    Raises:
        ConfigurationError: an unknown option, a missing one, or a wrong type; names file and place.
    """
    values = place.mapping(config)
    place.known_keys(values, [option.name for option in options])
    result: dict[str, Any] = {}
    for option in options:
        value = values.get(option.name)
        if value is None:
            if option.required:
                raise place.error("option {name} is needed", name=option.name)
            result[option.name] = option.default
            continue
        allowed = option.types if option.options is None else (*option.types, dict)
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            known = ", ".join(sorted(one.__name__ for one in allowed))
            raise (place / option.name).error("{value} is not of type {known}", value=repr(value), known=known)
        if option.options is not None and isinstance(value, dict):
            value = check_config(value, option.options, place / option.name)
        result[option.name] = value
    return result


@dataclass(slots=True)
class Reading:
    """What a kind gets for one run: its way out, and what it remembered.

    ``client``: guarded. ``state``: of the source, from the last complete run; the kind puts the new one into
    ``new_state``. ``record_states``: the kind's memory of one record by its key. ``full``: ask for everything anew.
    ``total``: how many records the source says it has; the kind sets it when it learns it.
    """

    client: HttpClient
    state: Mapping[str, Any] = field(default_factory=dict)
    record_states: Callable[[str], Mapping[str, Any]] = lambda _key: {}
    full: bool = False
    new_state: dict[str, Any] = field(default_factory=dict)
    total: int | None = None


class SourceKind(ABC):
    """Reads one source; never writes anything, neither there nor here.

    ``open`` is called once, then ``records`` once, ``close`` always. Errors: ``SourceError`` and its kinds for the
    source as a whole; what concerns one record is told in ``SourceRecord.findings`` or raised when its rows are read.
    """

    #: name in the configuration
    name: ClassVar[str]
    #: the configuration's schema; everything else is refused
    options: ClassVar[tuple[Option, ...]]

    def __init__(self, config: Mapping[str, Any], reading: Reading) -> None:
        self.config = config
        self.reading = reading

    def open(self) -> bool:
        """Connect. False: nothing has changed since ``reading.state``, says the source; ``records`` is not asked."""
        return True

    @abstractmethod
    def records(self) -> Iterator[SourceRecord]:
        """Every record of the source, one after the other; never all of them in memory."""

    def close(self) -> None:  # noqa: B027 - most kinds hold nothing
        """Let go of connections. Called also after an error."""


KindType = TypeVar("KindType", bound=type[SourceKind])
_registry: Final[dict[str, type[SourceKind]]] = {}


def source_kind(kind: KindType) -> KindType:
    """Register a kind."""
    _registry[kind.name] = kind
    return kind


@cache
def kinds() -> Mapping[str, type[SourceKind]]:
    """Every kind by name."""
    for module in pkgutil.iter_modules(sources.__path__):
        importlib.import_module(f"{sources.__name__}.{module.name}")
    return dict(_registry)


def kind_named(name: str, place: Place) -> type[SourceKind]:
    """The kind with this name.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        return kinds()[name]
    except KeyError as error:
        known = ", ".join(sorted(kinds()))
        raise ConfigurationError(
            "{file}, {place}: no kind of source is called {name}; known are {known}",
            file=place.file,
            place=place.path,
            name=name,
            known=known,
        ) from error
