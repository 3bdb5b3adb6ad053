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

from ckanext.openhuizhou.domain.findings import N_
from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.harvesters import sources
from ckanext.openhuizhou.harvesters.records import SourceRecord
from ckanext.openhuizhou.harvesters.rules import Place
from ckanext.openhuizhou.transport.http import HttpClient


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a kind's configuration. ``types``: what YAML may give. ``options``: of a nested mapping.

    ``label`` and ``help`` are msgids for the form. ``secret``: stored encrypted, never shown. ``choices``: all that it
    may be. ``rare``: seldom needed, so the form folds it away until something stands in it.
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
    rare: bool = False


_HIDDEN: Final = "***"
#: What YAML's types are called in the form and in the API.
TYPE_NAMES: Final = {str: "text", int: "number", float: "number", bool: "boolean", list: "list", dict: "mapping"}

#: How a web server is told who asks; shared by every kind that reads over HTTP.
TOKEN_OPTIONS: Final = (
    Option(
        "token",
        secret=True,
        label=N_("Token"),
        help=N_("What the department's server asks for; sent with each request. It is stored encrypted."),
    ),
    Option(
        "token_header",
        default="Authorization",
        label=N_("Header of the token"),
        help=N_("Name of the HTTP header that carries the token"),
        rare=True,
    ),
    Option(
        "token_prefix",
        default="Bearer ",
        label=N_("Word before the token"),
        help=N_("What stands before the token in its header"),
        rare=True,
    ),
)


def authorized(client: HttpClient, config: Mapping[str, Any], **headers: str) -> HttpClient:
    """A client of its own session that sends the source's token with each request."""
    if config["token"]:
        headers[config["token_header"]] = config["token_prefix"] + config["token"]
    return client.with_headers(headers)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one option. ``path``: of the option, dotted; ``message``: a msgid that ``params`` fill."""

    path: str
    message: str
    params: Mapping[str, Any] = field(default_factory=dict)


def config_problems(config: Any, options: tuple[Option, ...], before: str = "") -> list[Problem]:
    """Everything that is wrong with a configuration, in the order of the options."""
    if not isinstance(config, Mapping):
        return [Problem(before.rstrip("."), N_("a mapping belongs here, not {value}"), {"value": _shown(config)})]
    known = ", ".join(option.name for option in options)
    names = {option.name for option in options}
    problems = [
        Problem(f"{before}{name}", N_("unknown option; known are {known}"), {"known": known})
        for name in config
        if name not in names
    ]
    for option in options:
        problems += _option_problems(config.get(option.name), option, before)
    return problems


def _option_problems(value: Any, option: Option, before: str) -> list[Problem]:
    path = f"{before}{option.name}"
    if value is None or (value == "" and option.required):
        return [Problem(path, N_("option {name} is needed"), {"name": option.name})] if option.required else []
    if option.options is not None and isinstance(value, Mapping):
        return config_problems(value, option.options, f"{path}.")
    if not isinstance(value, option.types) or (isinstance(value, bool) and bool not in option.types):
        allowed = option.types if option.options is None else (*option.types, dict)
        known = ", ".join(dict.fromkeys(TYPE_NAMES[one] for one in allowed))
        shown = _HIDDEN if option.secret else _shown(value)
        return [Problem(path, N_("{value} is not of type {known}"), {"value": shown, "known": known})]
    if option.choices is not None and value not in option.choices:
        params = {"value": _shown(value), "known": ", ".join(option.choices)}
        return [Problem(path, N_("{value} is none of {known}"), params)]
    return []


def _shown(value: Any) -> str:
    return repr(value)[:80]


def check_config(config: Any, options: tuple[Option, ...], place: Place) -> dict[str, Any]:
    """The configuration with its defaults.

    Raises:
        ConfigurationError: an unknown option, a missing one, or a wrong type; names file and place of the first.
    """
    for problem in config_problems(config, options):
        raise (place / problem.path if problem.path else place).error(problem.message, **problem.params)
    return _with_defaults(config, options)


def _with_defaults(config: Mapping[str, Any], options: tuple[Option, ...]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for option in options:
        value = config.get(option.name)
        if value is None:
            value = option.default
        elif option.options is not None and isinstance(value, Mapping):
            value = _with_defaults(value, option.options)
        result[option.name] = value
    return result


@dataclass(slots=True)
class Reading:
    """What a kind gets for one run: its way out, and what it remembered.

    ``client``: guarded. ``state``: of the source, from the last complete run; the kind puts the new one into
    ``new_state``. ``record_states``: the kind's memory of one record by its key. ``full``: ask for everything anew.
    ``total``: how many records the source says it has; the kind sets it when it learns it.
    ``seconds``: the longest that one question may take when a person waits for the answer; None in a run.
    """

    client: HttpClient
    state: Mapping[str, Any] = field(default_factory=dict)
    record_states: Callable[[str], Mapping[str, Any]] = lambda _key: {}
    full: bool = False
    new_state: dict[str, Any] = field(default_factory=dict)
    total: int | None = None
    seconds: int | None = None


class SourceKind(ABC):
    """Reads one source; never writes anything, neither there nor here.

    ``open`` is called once, then ``records`` once, ``close`` always. Errors: ``SourceError`` and its kinds for the
    source as a whole; what concerns one record is told in ``SourceRecord.findings`` or raised when its rows are read.
    """

    #: name in the configuration
    name: ClassVar[str]
    #: msgids: what it is called, and for which systems it is, in one sentence
    title: ClassVar[str] = ""
    description: ClassVar[str] = ""
    #: the configuration's schema; everything else is refused
    options: ClassVar[tuple[Option, ...]]
    #: of a source that says nothing about its mapping; None: it has to
    default_mapping: ClassVar[Mapping[str, Any] | None] = None

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


def mapping_of(kind: type[SourceKind], mapping: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The mapping that a source is read with: its own, else the kind's, so that a better one reaches every source."""
    return mapping or kind.default_mapping or {}


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
