"""A real OpenSSH server of a test's own: made-up keys, a high port of 127.0.0.1, sftp and nothing else.

Run as root it lets root in with a key and, for passwords, a user of its own is made and removed again. Run by anybody
else it lets that user in with a key; a password cannot be tested then, because sshd may not read the password file.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

_SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
#: Where sshd steps down to before anybody has logged in; it does not start without it.
_PRIVILEGE_SEPARATION = Path("/run/sshd")

_CONFIG = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication yes
PermitRootLogin yes
Subsystem sftp internal-sftp
ForceCommand internal-sftp
AllowTcpForwarding no
X11Forwarding no
MaxStartups 100
"""


class SftpServer:
    """``url("data")`` is the address of a folder below ``root``; ``private_key`` lets ``user`` in."""

    def __init__(self, folder: Path) -> None:
        assert _SSHD is not None, "these tests need sshd (package openssh-server)"
        self.folder = folder
        self.root = folder / "root"
        self.root.mkdir()
        self.user = getpass.getuser()
        self.host_key = self._key("host_key").with_suffix(".pub").read_text()
        self.fingerprint = self._fingerprint("host_key")
        self.private_key = self._key("user_key").read_text()
        shutil.copy(folder / "user_key.pub", folder / "authorized_keys")
        if os.getuid() == 0:
            _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        config = folder / "sshd_config"
        config.write_text(_CONFIG.format(port=self.port, folder=folder))
        with (folder / "sshd.log").open("w") as log:
            command = [_SSHD, "-D", "-e", "-f", str(config)]
            self._process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL)
        self._wait()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "") -> str:
        return f"sftp://{self.host}{self.root}/{path}"

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGSTOP)  # no more sessions while the others are looked for
            self.cut_connections()
            self._process.kill()
            self._process.wait()

    def cut_connections(self) -> None:
        """End every session at once, as a machine does that is switched off; the server itself goes on."""
        for session in self._below(self._process.pid):
            subprocess.run(["kill", "-9", session], check=False, capture_output=True)

    def _below(self, process: int | str) -> list[str]:
        """The processes of the sessions, and theirs: which of them has the connection depends on who runs sshd."""
        found = subprocess.run(
            ["pgrep", "-P", str(process)], capture_output=True, text=True, check=False
        ).stdout.split()
        return found + [below for child in found for below in self._below(child)]

    def another_key(self, name: str) -> Path:
        """A key that the server does not know."""
        return self._key(name)

    def _key(self, name: str) -> Path:
        path = self.folder / name
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)]
        subprocess.run(command, check=True, capture_output=True)
        return path

    def _fingerprint(self, name: str) -> str:
        shown = subprocess.run(
            ["ssh-keygen", "-l", "-f", str(self.folder / f"{name}.pub")], capture_output=True, text=True, check=True
        )
        return shown.stdout.split()[1]

    def _wait(self) -> None:
        """Until it says that it listens: connections before would be refused."""
        for _attempt in range(2000):
            assert self._process.poll() is None, (self.folder / "sshd.log").read_text()
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                    assert connection.recv(4) == b"SSH-"
                    return
            except ConnectionRefusedError:
                os.sched_yield()
        raise AssertionError("sshd does not listen")


@contextlib.contextmanager
def user_with_password(server: SftpServer) -> Iterator[tuple[str, str]]:
    """A user of the machine who has a password, for as long as a test runs. Only root can make one."""
    name = f"ohsftp{server.port}"
    secret = f"demo-{server.port}-{os.getpid()}"
    subprocess.run(["useradd", "--no-create-home", "--home-dir", "/", name], check=True, capture_output=True)
    subprocess.run(["chpasswd"], input=f"{name}:{secret}", text=True, check=True, capture_output=True)
    try:
        yield name, secret
    finally:
        server.cut_connections()
        subprocess.run(["userdel", name], check=True, capture_output=True)
