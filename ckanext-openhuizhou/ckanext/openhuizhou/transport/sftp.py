"""A drop folder on an SFTP server: fsspec's SFTP file system over a connection of our own.

fsspec's own connection trusts any host key and resolves the name itself. Here the address is the one that the guard has
checked, and the server has to prove itself with a key that the configuration names: without one nothing is sent.
"""

from __future__ import annotations

import base64
import hashlib
import io
import socket
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from threading import Timer
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem
from paramiko.ssh_exception import IncompatiblePeer

from ckanext.openhuizhou.domain.findings import N_, Finding
from ckanext.openhuizhou.errors import (
    ConfigurationError,
    RecordRefused,
    SourceDenied,
    SourceMalformed,
    SourceUnreachable,
)

from .folders import MOST_DEPTH, Copied, Folder, bounded, copy_stream, safe_name, same_marks, walk
from .guard import Guard
from .spool import SpooledFile

#: Seconds for a connection with all its handshakes, for a single wait, and for one file.
_CONNECT: Final = 20.0
_WAIT: Final = 60.0
_FILE: Final = 1800.0
#: A file that was written less than so many seconds ago may be written again within the same second, unseen.
_SETTLED: Final = 60
_KEY_TYPES: Final = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
_LOST: Final = (paramiko.SSHException, EOFError, socket.timeout, ConnectionError)


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks, and how the server proves who it is. ``host_key``: as in ``known_hosts``, with or without the host;
    ``fingerprint``: as ``ssh-keygen -l`` shows it (``SHA256:…``)."""

    user: str = ""
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    host_key: str = ""
    fingerprint: str = ""


class GuardedSftp(SFTPFileSystem):
    """fsspec's file system over a connection that the guard and the server's key allow."""

    cachable = False

    def __init__(self, guard: Guard, host: str, port: int, login: Login) -> None:
        self._guard = guard
        self._port = port
        self._login = login
        super().__init__(host, host_key_policy="reject")

    def _connect(self) -> None:
        known = _KnownKey.of(self._login)
        where = {"host": f"{self.host}:{self._port}"}
        transport = paramiko.Transport(self._socket())
        watch = Timer(_CONNECT, transport.close)
        watch.daemon = True
        watch.start()
        try:
            if known.types:
                transport.get_security_options().key_types = known.types
            transport.start_client(timeout=_CONNECT)
            if not known.fits(transport.get_remote_server_key()):
                raise SourceDenied("{host} is not the server whose key is known", **where)
            self._log_in(transport)
            client = paramiko.SFTPClient.from_transport(transport)
            assert client is not None, "an authenticated connection opens a session"
            client.get_channel().settimeout(_WAIT)  # pyright: ignore[reportOptionalMemberAccess]
        except paramiko.AuthenticationException as error:
            transport.close()
            raise SourceDenied("{host} does not accept the user or its password or key", **where) from error
        except IncompatiblePeer as error:
            transport.close()
            raise SourceDenied("{host} is not the server whose key is known", **where) from error
        except (*_LOST, OSError) as error:
            transport.close()
            raise SourceUnreachable("{host} does not answer as an SFTP server", **where) from error
        except BaseException:
            transport.close()
            raise
        finally:
            watch.cancel()
        self.client, self.ftp = transport, client

    def _socket(self) -> socket.socket:
        last: OSError | None = None
        for address in self._guard.addresses(self.host, self._port):
            try:
                return socket.create_connection((address, self._port), _CONNECT)
            except OSError as error:
                last = error
        raise SourceUnreachable("{host} cannot be reached", host=f"{self.host}:{self._port}") from last

    def _log_in(self, transport: paramiko.Transport) -> None:
        transport.auth_timeout = _CONNECT
        if self._login.private_key:
            transport.auth_publickey(self._login.user, private_key(self._login.private_key))
        else:
            transport.auth_password(self._login.user, self._login.password)

    @property
    def is_connected(self) -> bool:
        return self.client.is_active()

    def reconnect(self) -> None:
        """Another connection, after one that was cut."""
        self.close()
        self._connect()

    def close(self) -> None:
        self.client.close()


@dataclass(frozen=True, slots=True)
class _KnownKey:
    """What the server's key must be. ``types``: the kinds of keys to ask it for; empty: any."""

    blobs: frozenset[bytes]
    fingerprints: frozenset[str]
    types: tuple[str, ...]

    @classmethod
    def of(cls, login: Login) -> _KnownKey:
        blobs: set[bytes] = set()
        types: list[str] = []
        for line in login.host_key.splitlines():
            words = line.split()
            place = next((index for index, word in enumerate(words) if word.startswith(("ssh-", "ecdsa-"))), None)
            if not words:
                continue
            try:
                kind, blob = words[place or 0], base64.b64decode(words[(place or 0) + 1], validate=True)
            except (IndexError, ValueError) as error:
                raise ConfigurationError(N_("The option {option} is no host key"), option="host_key") from error
            blobs.add(blob)
            types += ["rsa-sha2-512", "rsa-sha2-256"] if kind == "ssh-rsa" else [kind]
        fingerprints = {_bare(word) for word in login.fingerprint.split()}
        if not blobs and not fingerprints:
            raise ConfigurationError(
                N_("An SFTP source needs {option}: without it nobody knows who answers"), option="host_key"
            )
        return cls(frozenset(blobs), frozenset(fingerprints), () if fingerprints else tuple(dict.fromkeys(types)))

    def fits(self, key: paramiko.PKey) -> bool:
        blob = key.asbytes()
        fingerprint = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
        return blob in self.blobs or fingerprint in self.fingerprints


def _bare(fingerprint: str) -> str:
    return fingerprint.removeprefix("SHA256:").rstrip("=")


def private_key(text: str) -> paramiko.PKey:
    """A private key from its text, as ``ssh-keygen`` writes it; without a passphrase.

    Raises:
        ConfigurationError: it is none, or it needs a passphrase. Nothing of it is in the error.
    """
    for kind in _KEY_TYPES:
        try:
            return kind.from_private_key(io.StringIO(text.strip() + "\n"))
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise ConfigurationError(
        N_("The option {option} is no private key without passphrase"), option="private_key"
    ) from None


Result = TypeVar("Result")


class SftpFolder(Folder):
    """Size and time of a file decide whether it is read again; its bytes decide whether it has changed."""

    def __init__(self, guard: Guard, url: str, login: Login, *, subfolders: bool) -> None:
        super().__init__()
        parts = urlsplit(url)
        try:
            host, port = parts.hostname or "", parts.port or 22
        except ValueError as error:
            raise ConfigurationError(N_("The option {option} is no address"), option="url") from error
        if parts.password:
            raise ConfigurationError(N_("The password belongs into the option {option}"), option="password")
        if parts.username and not login.user:
            login = replace(login, user=unquote(parts.username))
        self._where = f"{host}:{port}"
        self._depth = MOST_DEPTH if subfolders else 1
        self._files = GuardedSftp(guard, host, port, login)
        self._root = self._real_root(unquote(parts.path) or ".")

    def names(self) -> list[str]:
        return bounded(self._walk(), self._where)

    def close(self) -> None:
        super().close()
        self._files.close()

    def _real_root(self, path: str) -> str:
        try:
            root = self._files.ftp.normalize(path)
            mode = self._files.ftp.stat(root).st_mode or 0
        except FileNotFoundError as error:
            raise SourceUnreachable("The folder {path} is not there", path=path) from error
        except PermissionError as error:
            raise SourceDenied(
                "{host} does not let the user into the folder {path}", host=self._where, path=path
            ) from error
        except (*_LOST, OSError) as error:
            raise SourceUnreachable("{host} breaks off its answer", host=self._where) from error
        if not stat.S_ISDIR(mode):
            raise SourceMalformed("{path} is no folder", path=path)
        return root.rstrip("/")

    def _walk(self) -> Iterator[str]:
        root = self._root or "/"
        try:
            for below, _folders, files in walk(self._files, root, self._depth):
                for name, info in files.items():
                    full = f"{below}/{name}" if below else name
                    # a link may lead out of the folder
                    if info["type"] == "file" or (info["type"] == "link" and self._real_path(full) is not None):
                        yield full
        except UnicodeDecodeError as error:
            raise SourceMalformed("{host} has names of files that are not UTF-8", host=self._where) from error
        except PermissionError as error:
            raise SourceDenied(
                "{host} does not let the user into the folder {path}", host=self._where, path=root
            ) from error
        except (*_LOST, OSError) as error:
            raise SourceUnreachable("{host} breaks off its answer", host=self._where) from error

    def _real_path(self, name: str) -> str | None:
        """The path of a file below the folder, links resolved by the server; None when it is none."""
        if safe_name(name) is None:
            return None
        try:
            path = self._files.ftp.normalize(f"{self._root}/{name}")
            mode = self._files.ftp.stat(path).st_mode or 0
        except FileNotFoundError:
            return None
        return path if path.startswith(f"{self._root}/") and stat.S_ISREG(mode) else None

    def _copy(self, name: str, file: SpooledFile, known: Mapping[str, Any]) -> Copied:
        try:
            return self._copy_once(name, file, known)
        except _LOST as error:
            lost = error
        except OSError as error:
            if self._files.is_connected:
                raise
            lost = error
        # a connection may be cut in the middle of a file: once more on another one
        file.restart()
        self._files.reconnect()
        try:
            return self._copy_once(name, file, known)
        except (*_LOST, OSError) as error:
            if self._files.is_connected and not isinstance(error, _LOST):
                raise
            raise SourceUnreachable("{host} breaks off its answer", host=self._where) from lost

    def _copy_once(self, name: str, file: SpooledFile, known: Mapping[str, Any]) -> Copied:
        path = self._real_path(name)
        if path is None:
            raise FileNotFoundError(name)
        watch = Timer(_FILE, self._files.close)
        watch.daemon = True
        watch.start()
        try:
            with self._files.ftp.open(path, "rb") as stream:
                before = stream.stat()
                marks = _marks(before)
                if same_marks(known, marks):
                    return Copied("listing", unchanged=True)
                copy_stream(stream, file, before.st_size or 0)
                after = stream.stat()
        finally:
            watch.cancel()
        if _marks(after) != marks or file.size != before.st_size:
            # somebody writes to it just now; half of it is no data
            raise RecordRefused([Finding("file-changed", value=name)])
        return Copied(marks=marks if time.time() - (before.st_mtime or 0) > _SETTLED else {})


def _marks(attributes: paramiko.SFTPAttributes) -> dict[str, Any]:
    return {"size": attributes.st_size, "time": attributes.st_mtime}
