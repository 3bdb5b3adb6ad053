"""One rule of a mapping: how one value is taken from a record. Pure; the grammar is in docs/harvest-mapping.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from ckanext.openhuizhou.domain.cell_types import to_boolean, to_datetime, to_integer
from ckanext.openhuizhou.domain.findings import N_, Finding
from ckanext.openhuizhou.domain.text_rules import shown
from ckanext.openhuizhou.errors import ConfigurationError, ValueRefused

_KEYS: Final = frozenset({"from", "const", "template", "codes", "default", "split", "as", "provider"})
_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")
#: A separator is written by people in a browser: it must not be an expression that never ends. Without groups and with
#: one repetition it takes at most the square of the text's length.
_LONGEST_SPLIT: Final = 100
_ATOMS: Final = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEATED: Final = re.compile(r"[*+?{]")
_LONGEST_REPEATED: Final = 20_000
#: What stands before the message of an error that names its place.
PLACE_PREFIX: Final = "{file}, {place}: "


class Place:
    """Where in which file something stands; makes the errors of a reader of YAML.

    The first error is raised, unless ``errors`` is given: then each is put there and the reading goes on.
    """

    def __init__(self, file: str, path: str = "", errors: list[ConfigurationError] | None = None) -> None:
        self.file = file
        self.path = path
        self.errors = errors

    def __truediv__(self, key: object) -> Place:
        return Place(self.file, f"{self.path}.{key}" if self.path else str(key), self.errors)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """An error inside ends this part of the document only, if errors are collected."""
        try:
            yield
        except ConfigurationError as error:
            if self.errors is None:
                raise
            self.errors.append(error)

    def error(self, message: str, **params: Any) -> ConfigurationError:
        """A ConfigurationError that names file and place; ``message`` says what is wrong there."""
        return ConfigurationError(PLACE_PREFIX + message, file=self.file, place=self.path or "/", **params)

    def mapping(self, value: Any) -> dict[str, Any]:
        """``value`` when it is a mapping."""
        if not isinstance(value, dict):
            raise self.error(N_("a mapping belongs here, not {value}"), value=repr(value)[:80])
        return value

    def known_keys(self, value: Mapping[str, Any], allowed: Iterable[str]) -> None:
        """Refuse keys that nobody reads: they are typing errors."""
        allowed = set(allowed)
        for key in value:
            if key not in allowed:
                with self.going_on():
                    raise (self / key).error(N_("unknown key; known are {known}"), known=", ".join(sorted(allowed)))


@dataclass(frozen=True, slots=True)
class Rule:
    """How one value is taken from a record."""

    paths: tuple[str, ...] = ()
    const: Any = None
    template: str | None = None
    codes: Mapping[str, Any] | None = None
    default: Any = None
    split: re.Pattern[str] | None = None
    form: str | None = None
    provider: bool = False

    @classmethod
    def load(cls, document: Any, place: Place) -> Rule:
        """Read and check one rule.

        Raises:
            ConfigurationError: naming file and place.
        """
        values = place.mapping(document)
        place.known_keys(values, _KEYS)
        origins = sum(key in values for key in ("from", "const", "template"))
        if origins != 1 and not (origins == 0 and "default" in values):
            with place.going_on():
                raise place.error(N_("one of from, const, template is needed"))
        paths = values.get("from", ())
        paths = (paths,) if isinstance(paths, (str, int)) else paths
        if not isinstance(paths, (list, tuple)):
            raise (place / "from").error(N_("a path or a list of paths belongs here"))
        template = values.get("template")
        return cls(
            paths=tuple(str(path) for path in paths),
            const=values.get("const"),
            template=None if template is None else str(template),
            codes=_codes(values, place / "codes"),
            default=values.get("default"),
            split=_split(values, place / "split"),
            form=_form(values, place / "as"),
            provider=bool(values.get("provider", False)),
        )

    def reads(self, path: str) -> bool:
        """Whether the value can depend on what stands at this path."""
        return path in self.paths or path in _PLACEHOLDER.findall(self.template or "")

    def value(self, payload: Mapping[str, Any], field: str) -> Any:
        """The value for ``field``; None when empty.

        Raises:
            ValueRefused: the value is in no code list or does not have the form that is asked for.
        """
        raw = self._raw(payload)
        if self.split is not None and raw is not None:
            parts = raw if isinstance(raw, list) else self._parts(self.split, str(raw), field)
            texts = [part for part in (str(part).strip() for part in parts) if part]
            return [self._one(text, field) for text in texts] or self.default
        if raw is None:
            return self.default
        return self._one(raw, field)

    @staticmethod
    def _parts(split: re.Pattern[str], text: str, field: str) -> list[str]:
        if len(text) > _LONGEST_REPEATED and _repetitions(split.pattern):
            params = {"length": len(text), "longest": _LONGEST_REPEATED}
            raise ValueRefused([Finding("text-too-long", field=field, params=params)])
        return split.split(text)

    def _raw(self, payload: Mapping[str, Any]) -> Any:
        if self.template is not None:
            return _PLACEHOLDER.sub(lambda match: str(lookup(payload, match[1]) or ""), self.template).strip() or None
        for path in self.paths:
            value = lookup(payload, path)
            if not _is_empty(value):
                return value.strip() if isinstance(value, str) else value
        return self.const

    def _one(self, raw: Any, field: str) -> Any:
        if self.codes is not None:
            key = _code_key(raw)
            if key in self.codes:
                return self.codes[key]
            if self.default is not None:
                return self.default
            raise ValueRefused([Finding("code-unknown", field=field, value=shown(raw))])
        if self.form is not None:
            try:
                value = _FORMS[self.form](raw)
            except ValueError as error:
                params = {"form": self.form}
                raise ValueRefused([Finding("value-form", field=field, value=shown(raw), params=params)]) from error
            return self.default if value is None else value
        return raw


def lookup(payload: Any, path: str) -> Any:
    """The value at a dotted path; None when there is none. A key that itself has dots is found as a whole."""
    if isinstance(payload, Mapping) and path in payload:
        return payload[path]
    value = payload
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or (isinstance(value, list) and not value)


def _code_key(value: Any) -> str:
    """YAML reads ``是`` as text but ``1`` as a number and ``no`` as false; sources give text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _as_integer(raw: Any) -> int | None:
    text = to_integer(raw)
    return None if text is None else int(text)


def _as_boolean(raw: Any) -> bool | None:
    text = to_boolean(raw)
    return None if text is None else text == "true"


def _as_date(raw: Any) -> str | None:
    """The day in the city, also of a moment."""
    text = to_datetime(raw)
    return None if text is None else text[:10]


_FORMS: Final = {"text": _code_key, "integer": _as_integer, "boolean": _as_boolean, "date": _as_date}


def _codes(values: Mapping[str, Any], place: Place) -> dict[str, Any] | None:
    codes = values.get("codes")
    if codes is None:
        return None
    with place.going_on():
        return {_code_key(key): value for key, value in place.mapping(codes).items()}
    return None


def _split(values: Mapping[str, Any], place: Place) -> re.Pattern[str] | None:
    if "split" not in values:
        return None
    with place.going_on():
        try:
            split = re.compile(values["split"])
        except (re.error, TypeError, OverflowError, RecursionError) as error:
            raise place.error(N_("not a regular expression")) from error
        plain = _ATOMS.sub("", split.pattern)
        if len(split.pattern) > _LONGEST_SPLIT or "(" in plain or _repetitions(split.pattern) > 1:
            raise place.error(N_("a separator has no groups and one repetition at most"))
        return split
    return None


def _repetitions(pattern: str) -> int:
    return len(_REPEATED.findall(_ATOMS.sub("", pattern)))


def _form(values: Mapping[str, Any], place: Place) -> str | None:
    form = values.get("as")
    if form is None or (isinstance(form, str) and form in _FORMS):
        return form
    with place.going_on():
        raise place.error(N_("{value} is none of {known}"), value=form, known=", ".join(_FORMS))
    return None
