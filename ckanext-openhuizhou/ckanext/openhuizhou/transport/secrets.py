"""Passwords and tokens of sources at rest: encrypted with a key of the site, opened only to read the source.

Fernet (AES-128-CBC and HMAC-SHA256) of ``cryptography``. The first of ``ckanext.openhuizhou.secret_keys`` encrypts, all
of them open, so that a key can be changed without a moment in which a source cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit

import sqlalchemy as sa
from ckan import model
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ckanext.openhuizhou import config as settings
from ckanext.openhuizhou.domain.findings import N_
from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.model.harvest import Source
from ckanext.openhuizhou.transport.variables import Variables, is_variable


class Declared(Protocol):
    """What is needed to know of an option of a source kind (``harvesters.kinds.Option``)."""

    @property
    def name(self) -> str: ...
    @property
    def secret(self) -> bool: ...
    @property
    def options(self) -> Sequence[Declared] | None: ...


def secret_paths(options: Iterable[Declared], before: str = "") -> Iterator[str]:
    """Dotted paths of the options that are secret, nested ones too."""
    for option in options:
        if option.secret:
            yield before + option.name
        yield from secret_paths(option.options or (), f"{before}{option.name}.")


def seal(
    config: Mapping[str, Any], options: Sequence[Declared], old: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """A source's configuration without its secrets, and these by option path, encrypted.

    Where nothing is given, what ``old`` has is kept. ``${name}`` as a whole value is no secret and stays where it is.

    Raises:
        ConfigurationError: there is something to encrypt and no key for it.
    """
    shown, secrets = _copy(config), {}
    for path in secret_paths(options):
        value = _taken(shown, path)
        if is_variable(value):
            _put(shown, path, value)
        elif value not in (None, ""):
            secrets[path] = _fernet().encrypt(str(value).encode()).decode("ascii")
        elif path in old:
            secrets[path] = old[path]
    return shown, secrets


def open_config(config: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """The configuration with its secrets in their places.

    Raises:
        ConfigurationError: no key, or none that opens one of them; names the option, never a value.
    """
    opened = _copy(config)
    for path, token in secrets.items():
        try:
            value = _fernet().decrypt(token.encode("ascii")).decode()
        except (InvalidToken, UnicodeError) as error:
            raise ConfigurationError(
                N_("The secret {option} cannot be opened: the key it was stored with is gone; enter it again"),
                option=path,
            ) from error
        _put(opened, path, value)
    return opened


def hide_secrets(variables: Variables, config: Mapping[str, Any], options: Sequence[Declared]) -> None:
    """Have ``variables`` take the opened configuration's secrets out of every text from now on.

    Also as they are written in an address, and the password within one.
    """
    for path in secret_paths(options):
        text = str(_at(config, path) or "")
        password = _password(text)
        for one in (text, password, unquote(password)):
            variables.hide(one)
            variables.hide(quote(one, safe=""))


def written_out(config: Mapping[str, Any], options: Sequence[Declared]) -> list[str]:
    """Paths of secret options that hold more than the name of a variable."""
    return [path for path in secret_paths(options) if _at(config, path) and not is_variable(_at(config, path))]


def rotate_secrets() -> tuple[int, list[str]]:
    """Encrypt every stored secret anew with the first key; commits.

    Returns:
        How many were encrypted anew, and ``source: option`` of those that no key opens: they are left as they are.

    Raises:
        ConfigurationError: there is no key.
    """
    fernet, done, lost = _fernet(), 0, []
    for source in model.Session.scalars(sa.select(Source).order_by(Source.name).with_for_update()):
        renewed = dict(source.secrets)
        for path, token in source.secrets.items():
            try:
                renewed[path] = fernet.rotate(token.encode("ascii")).decode("ascii")
                done += 1
            except (InvalidToken, UnicodeError):
                lost.append(f"{source.name}: {path}")
        source.secrets = renewed
    model.Session.commit()
    return done, lost


def _fernet() -> MultiFernet:
    keys = settings.secret_keys()
    if not keys:
        raise ConfigurationError(N_("Secrets of sources need a key: set ckanext.openhuizhou.secret_keys"))
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        # not chained to be shown: the library's own text may be of the key
        raise ConfigurationError(
            N_("A key in ckanext.openhuizhou.secret_keys is not 32 bytes in URL-safe Base64")
        ) from error


def _password(address: str) -> str:
    try:
        return urlsplit(address).password or ""
    except ValueError:
        return ""


def _copy(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copy(value) if isinstance(value, Mapping) else value for name, value in config.items()}


def _parts(path: str) -> tuple[list[str], str]:
    *around, name = path.split(".")
    return around, name


def _at(config: Mapping[str, Any], path: str) -> Any:
    value: Any = config
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _taken(config: dict[str, Any], path: str) -> Any:
    around, name = _parts(path)
    within = _at(config, ".".join(around)) if around else config
    return within.pop(name, None) if isinstance(within, dict) else None


def _put(config: dict[str, Any], path: str, value: Any) -> None:
    around, name = _parts(path)
    within = config
    for part in around:
        inner = within.get(part)
        if not isinstance(inner, dict):
            inner = within[part] = {}
        within = inner
    within[name] = value
