"""Addresses and secrets of sources: kept in a file beside the site, filled in when a run starts, never shown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from ckanext.openhuizhou.errors import ConfigurationError

_VARIABLE: Final = re.compile(r"\$\{([^${}]+)\}")
_SECRET_NAME: Final = re.compile(r"(token|password|secret|key|dsn)$", re.IGNORECASE)
_HIDDEN: Final = "***"
#: The option of a source that says where a record's key stands: no secret.
_FIELD_OF_KEY: Final = "key"
_URL_PASSWORD: Final = re.compile(r"(?P<before>://[^/?#\s:@]*:)(?P<secret>[^/?#\s]*)(?=@)")
_URL_PARAMETER: Final = re.compile(
    r"(?P<before>[?&;][^=&;#\s]*(?:token|password|secret|key|dsn)=)(?P<secret>[^&;#\s]+)", re.IGNORECASE
)


def without_secrets(config: Mapping[str, Any]) -> dict[str, Any]:
    """A source's configuration, variables not filled in, without the secrets that were written into it all the same.

    At any depth: what has a secret's name (``${name}`` stays), and passwords and secret parameters in addresses.
    """
    return {
        name: value if name == _FIELD_OF_KEY else _without_secrets(str(name), value) for name, value in config.items()
    }


def _without_secrets(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_secrets(str(key), member) for key, member in value.items()}
    if isinstance(value, list):
        return [_without_secrets(name, member) for member in value]
    if _SECRET_NAME.search(name) and value and not is_variable(value):
        return _HIDDEN
    if isinstance(value, str):
        value = _URL_PASSWORD.sub(_hide_unless_variable, value)
        return _URL_PARAMETER.sub(_hide_unless_variable, value)
    return value


def is_variable(value: object) -> bool:
    """Whether ``value`` is ``${name}`` and nothing else."""
    return isinstance(value, str) and _VARIABLE.fullmatch(value) is not None


def _hide_unless_variable(match: re.Match[str]) -> str:
    return match[0] if is_variable(match["secret"]) else match["before"] + _HIDDEN


class Variables:
    """The values of ``${name}``; those that are secret are taken out of every text by ``redact``."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        self._secrets: set[str] = set()
        for name, value in self._values.items():
            if _SECRET_NAME.search(name):
                self.hide(value)
            self._hide_password(value)

    @classmethod
    def load(cls, path: Path | None) -> Variables:
        """Read the file; none means no variables.

        Raises:
            ConfigurationError: the file is not a JSON object of texts.
        """
        if path is None or not path.exists():
            return cls({})
        try:
            values = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise ConfigurationError("{file}: not JSON", file=path.name) from error
        if not isinstance(values, dict):
            raise ConfigurationError("{file}: not a JSON object", file=path.name)
        return cls({str(name): str(value) for name, value in values.items()})

    def expand(self, value: Any) -> Any:
        """``value`` with every ``${name}`` in it filled in, at any depth.

        Raises:
            ConfigurationError: a name that the file does not have.
        """
        if isinstance(value, str):
            return _VARIABLE.sub(self._lookup, value)
        if isinstance(value, Mapping):
            return {key: self.expand(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.expand(member) for member in value]
        return value

    def hide(self, secret: object) -> None:
        """Take this text out of everything that is shown from now on."""
        text = str(secret or "")
        if len(text) >= 4:
            self._secrets.add(text)

    def redact(self, text: str) -> str:
        """``text`` without any secret."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, _HIDDEN)
        return text

    def redact_all(self, value: Any) -> Any:
        """``redact`` at any depth."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {key: self.redact_all(member) for key, member in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.redact_all(member) for member in value]
        return value

    def _lookup(self, match: re.Match[str]) -> str:
        try:
            return self._values[match[1].strip()]
        except KeyError as error:
            raise ConfigurationError("No value for ${{{name}}}", name=match[1]) from error

    def _hide_password(self, value: str) -> None:
        if "://" in value:
            password = urlsplit(value).password
            self.hide(password)
            self.hide(unquote(password or ""))
