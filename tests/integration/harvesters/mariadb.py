"""A real MariaDB server for tests, on a free port of this machine, with a database and a user of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from ckanext.openhuizhou.stack.ports import HOST, find_free
from ckanext.openhuizhou.stack.process import wait_until


@contextmanager
def running(folder: Path) -> Iterator[sa.Engine]:
    """The server with its data in ``folder``; the engine's user may do everything in database ``front``."""
    data, port, user = folder / "data", find_free(), pwd.getpwuid(os.geteuid()).pw_name
    paths = f"{os.environ['PATH']}:/usr/sbin"
    install, daemon = shutil.which("mariadb-install-db"), shutil.which("mariadbd", path=paths)
    assert install, "MariaDB is needed (Debian: mariadb-server)"
    assert daemon, "MariaDB is needed (Debian: mariadb-server)"
    common = ["--no-defaults", f"--datadir={data}", f"--user={user}"]
    how = ["--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run([install, *common, *how], check=True, capture_output=True)
    line = [daemon, *common, f"--socket={folder / 's'}", f"--port={port}", f"--bind-address={HOST}"]
    # zero dates come from servers that allow them
    line += ["--innodb-buffer-pool-size=64M", "--skip-log-bin", "--skip-name-resolve", "--sql-mode="]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(line, stdout=log, stderr=log)
    try:
        serves = wait_until(lambda: _listens(port), 60, still_possible=lambda: server.poll() is None)
        assert serves, (folder / "log").read_text("utf-8")
        root = sa.create_engine(f"mysql+pymysql://root@localhost/?unix_socket={folder / 's'}")
        with root.begin() as connection:
            connection.exec_driver_sql("CREATE DATABASE front CHARACTER SET utf8mb4")
            connection.exec_driver_sql("CREATE USER reader IDENTIFIED BY 'geheim-123'")
            connection.exec_driver_sql("GRANT ALL ON front.* TO reader")
        root.dispose()
        engine = sa.create_engine(f"mysql+pymysql://reader:geheim-123@{HOST}:{port}/front?charset=utf8mb4")
        yield engine
        engine.dispose()
    finally:
        server.terminate()
        server.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
