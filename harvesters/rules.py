"""One rule of a mapping: how one value is taken from a record. Pure; the grammar is in docs/harvest-mapping.md."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.errors import ConfigurationError, ValueRefused

_KEYS: Final = frozenset({"from", "const", "template", "codes", "default", "split", "as", "provider"})
_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")
_TRUE: Final = frozenset({"是", "true", "1", "yes", "y", "√"})
_FALSE: Final = frozenset({"否", "false", "0", "no", "n", "×"})
_DATE: Final = re.compile(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})")


class Place:
    """Where in which file something stands; makes the errors of a reader of YAML."""

    def __init__(self, file: str, path: str = "") -> None:
        self.file = file
        self.path = path

    def __truediv__(self, key: object) -> Place:
        return Place(self.file, f"{self.path}.{key}" if self.path else str(key))

    def error(self, message: str, **params: Any) -> ConfigurationError:
        """A ConfigurationError that names file and place; ``message`` says what is wrong there."""
        return ConfigurationError("{file}, {place}: " + message, file=self.file, place=self.path or "/", **params)

    def mapping(self, value: Any) -> dict[str, Any]:
        """``value`` when it is a mapping."""
        if not isinstance(value, dict):
            raise self.error("a mapping belongs here, not {value}", value=repr(value))
        return value

    def known_keys(self, value: Mapping[str, Any], allowed: Iterable[str]) -> None:
        """Refuse keys that nobody reads: they are typing errors."""
        allowed = set(allowed)
        for key in value:
            if key not in allowed:
                raise (self / key).error("unknown key; known are {known}", known=", ".join(sorted(allowed)))


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
            raise place.error("one of from, const, template is needed")
        paths = values.get("from", ())
        paths = (paths,) if isinstance(paths, (str, int)) else paths
        codes = values.get("codes")
        if codes is not None:
            codes = {_code_key(key): value for key, value in (place / "codes").mapping(codes).items()}
        form = values.get("as")
        if form is not None and form not in _FORMS:
            raise (place / "as").error("{value} is none of {known}", value=form, known=", ".join(_FORMS))
        try:
            split = re.compile(values["split"]) if "split" in values else None
        except (re.error, TypeError) as error:
            raise (place / "split").error("not a regular expression") from error
        return cls(
            paths=tuple(str(path) for path in paths),
            const=values.get("const"),
            template=values.get("template"),
            codes=codes,
            default=values.get("default"),
            split=split,
            form=form,
            provider=bool(values.get("provider", False)),
        )

    def value(self, payload: Mapping[str, Any], field: str) -> Any:
        """The value for ``field``; None when empty.

        Raises:
            ValueRefused: the value is in no code list or does not have the form that is asked for.
        """
        raw = self._raw(payload)
        if self.split is not None and raw is not None:
            parts = raw if isinstance(raw, list) else self.split.split(str(raw))
            texts = [part for part in (str(part).strip() for part in parts) if part]
            return [self._one(text, field) for text in texts] or self.default
        if raw is None:
            return self.default
        return self._one(raw, field)

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
            raise ValueRefused([Finding("code-unknown", field=field, value=str(raw)[:80])])
        if self.form is not None:
            try:
                return _FORMS[self.form](raw)
            except ValueError as error:
                params = {"form": self.form}
                raise ValueRefused([Finding("value-form", field=field, value=str(raw)[:80], params=params)]) from error
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


def _as_integer(raw: Any) -> int:
    return int(float(str(raw).strip())) if isinstance(raw, float) else int(str(raw).strip())


def _as_boolean(raw: Any) -> bool:
    text = _code_key(raw).lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(raw)


def _as_date(raw: Any) -> str:
    if isinstance(raw, dt.date):
        return raw.isoformat()[:10]
    match = _DATE.match(str(raw).strip())
    if match is None:
        raise ValueError(raw)
    return dt.date(int(match[1]), int(match[2]), int(match[3])).isoformat()


_FORMS: Final = {"text": _code_key, "integer": _as_integer, "boolean": _as_boolean, "date": _as_date}
