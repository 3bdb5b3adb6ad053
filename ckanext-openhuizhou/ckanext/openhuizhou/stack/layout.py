"""Where a stack keeps its things, and what it remembers between two starts."""

from __future__ import annotations

import fcntl
import json
import os
import secrets as random_values
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.private_file import write_private

DEFAULT_WEB_PORT = 5000
SECRET_NAMES = (
    "secret_key",
    "jwt_secret",
    "postgres_superuser",
    "ckan_database",
    "datastore_reader",
    "valkey",
    "source_secrets",
)


def project_root() -> Path:
    """The checkout with ``config/`` and ``docker/``: around this file, or the current folder for an installed wheel."""
    around = Path(__file__).resolve().parents[4]
    return around if (around / "config" / "ckan.ini").is_file() else Path.cwd()


@dataclass(frozen=True)
class Layout:
    """Folders and files of one stack. Two stacks differ in ``data`` and ``web_port``."""

    project: Path
    data: Path
    web_port: int

    @classmethod
    def from_environment(cls) -> Layout:
        """``OPENHUIZHOU_DATA`` (default ``var`` in the project) and ``OPENHUIZHOU_PORT`` (default 5000)."""
        project = project_root()
        data = Path(os.environ.get("OPENHUIZHOU_DATA") or project / "var").absolute()
        text = os.environ.get("OPENHUIZHOU_PORT") or str(DEFAULT_WEB_PORT)
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise StackError("OPENHUIZHOU_PORT is {value}, which is not a port number", value=text)
        return cls(project, data, int(text))

    @property
    def cache(self) -> Path:
        """Downloads that every stack of this user shares."""
        own = os.environ.get("OPENHUIZHOU_CACHE")
        if own:
            return Path(own).absolute()
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "openhuizhou"

    @property
    def config(self) -> Path:
        return self.project / "config"

    @property
    def logs(self) -> Path:
        return self.data / "log"

    @property
    def run(self) -> Path:
        return self.data / "run"

    @property
    def postgres(self) -> Path:
        return self.data / "postgres"

    @property
    def valkey(self) -> Path:
        return self.data / "valkey"

    @property
    def solr(self) -> Path:
        return self.data / "solr"

    @property
    def storage(self) -> Path:
        return self.data / "storage"

    @property
    def ini(self) -> Path:
        return self.data / "ckan.ini"

    @property
    def credentials(self) -> Path:
        return self.data / "credentials.json"

    @property
    def source_variables(self) -> Path:
        return self.data / "source_variables.json"

    @property
    def departments(self) -> Path:
        return self.data / "departments"

    def create(self) -> None:
        """Make the folders. Only the owner may enter them, and no other user may list the data folder.

        Started by root, PostgreSQL works as another user, who must pass the data folder on the way to its own.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        self.data.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for folder in (self.logs, self.run, self.storage, self.departments, self.valkey, self.solr):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the stack's lock: two commands that change one stack never run at once."""
        self.create()
        with (self.run / "lock").open("a+", encoding="utf-8") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.seek(0)
                raise StackError(
                    "another command is at work on the stack in {data}: {holder}\nWait until it ends, or stop it.",
                    data=self.data,
                    holder=handle.read().strip() or "?",
                ) from None
            handle.truncate(0)
            handle.write(f"{' '.join([Path(sys.argv[0]).name, *sys.argv[1:]])} (process {os.getpid()})\n")
            handle.flush()
            yield


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty when there is none.

    :raises StackError: the file holds something else (it was edited or cut off)
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise StackError("{path} is not a JSON object; correct it or delete it", path=path)
    return value


class State:
    """What a stack remembers: ports, and fingerprints of steps that were done (``<data>/state.json``)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._value = read_json(path)

    def _part(self, name: str) -> dict[str, Any]:
        return self._value.setdefault(name, {})

    def _save(self) -> None:
        write_private(self.path, json.dumps(self._value, indent=2, sort_keys=True) + "\n")

    def port(self, name: str) -> int | None:
        return self._part("ports").get(name)

    def ports(self) -> dict[str, int]:
        return dict(self._part("ports"))

    def keep_port(self, name: str, port: int) -> None:
        self._part("ports")[name] = port
        self._save()

    def done(self, step: str, fingerprint: str) -> bool:
        """Whether ``step`` was already done for exactly this input."""
        return self._part("done").get(step) == fingerprint

    def was_done(self, step: str) -> bool:
        """Whether ``step`` was ever done in this database, for whatever input."""
        return step in self._part("done")

    def mark_done(self, step: str, fingerprint: str) -> None:
        self._part("done")[step] = fingerprint
        self._save()

    def forget_steps(self) -> None:
        """Every step has to be done again (the database is new)."""
        self._value["done"] = {}
        self._save()


class Secrets:
    """Passwords and keys, made at the first start and kept (``<data>/secrets.json``, mode 600)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._value: dict[str, str] = read_json(path)
        missing = [name for name in SECRET_NAMES if name not in self._value]
        if missing:
            for name in missing:
                self._value[name] = random_values.token_urlsafe(32)
            self._save()

    def _save(self) -> None:
        write_private(self.path, json.dumps(self._value, indent=2, sort_keys=True) + "\n")

    def __getitem__(self, name: str) -> str:
        """The secret of this name; made when it is new."""
        if name not in self._value:
            self._value[name] = random_values.token_urlsafe(32)
            self._save()
        return self._value[name]
