"""Against a real OpenSSH server."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import paramiko
import pytest
from tests.sftp_server import SftpServer, user_with_password

from ckanext.openhuizhou.errors import (
    AddressRefused,
    ConfigurationError,
    RecordRefused,
    SourceDenied,
    SourceError,
    SourceMalformed,
    SourceUnreachable,
)
from ckanext.openhuizhou.transport.folders import Folder
from ckanext.openhuizhou.transport.guard import Guard
from ckanext.openhuizhou.transport.sftp import Login, SftpFolder

LONG_AGO = (1_500_000_000, 1_500_000_000)


@pytest.fixture
def login(sftp: SftpServer) -> Login:
    return Login(user=sftp.user, private_key=sftp.private_key, host_key=sftp.host_key)


def connect(sftp: SftpServer, login: Login, path: str = "", **options: Any) -> SftpFolder:
    options = {"subfolders": True, **options}
    return SftpFolder(Guard(frozenset({sftp.host})), sftp.url(path), login, **options)


@pytest.fixture
def folder(sftp: SftpServer, login: Login) -> Iterator[Folder]:
    with closing(connect(sftp, login)) as made:
        yield made


def put(sftp: SftpServer, name: str, content: bytes = b"a,b\r\n1,2\r\n") -> Path:
    path = sftp.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, LONG_AGO)
    return path


def found(error: pytest.ExceptionInfo[RecordRefused]) -> list[str]:
    return [finding.kind for finding in error.value.findings]


def test_a_login_does_not_show_its_secrets() -> None:
    shown = repr(Login("reader", password="p@ss word", private_key="-----BEGIN"))
    assert "reader" in shown
    assert "p@ss" not in shown
    assert "BEGIN" not in shown


class TestWhoAnswers:
    def test_a_server_with_the_known_key_is_read(self, sftp: SftpServer, folder: Folder):
        put(sftp, "台账.csv")
        assert folder.names() == ["台账.csv"]

    @pytest.mark.parametrize("form", ["with the host in front", "fingerprint", "one of two fingerprints"])
    def test_the_key_may_be_given_in_the_forms_that_ssh_shows(self, sftp: SftpServer, login: Login, form: str):
        known = {
            "with the host in front": {"host_key": f"[127.0.0.1]:{sftp.port} {sftp.host_key}"},
            "fingerprint": {"host_key": "", "fingerprint": sftp.fingerprint},
            "one of two fingerprints": {"host_key": "", "fingerprint": f"SHA256:{'A' * 43} {sftp.fingerprint}"},
        }
        put(sftp, "a.csv")
        with closing(connect(sftp, replace(login, **known[form]))) as folder:
            assert folder.names() == ["a.csv"]

    def test_without_a_known_key_nothing_is_sent(self, sftp: SftpServer, login: Login):
        with pytest.raises(ConfigurationError):
            connect(sftp, replace(login, host_key=""))

    def test_a_server_with_another_key_gets_no_password(self, sftp: SftpServer, login: Login):
        other = sftp.another_key("other").with_suffix(".pub").read_text()
        with pytest.raises(SourceDenied) as error:
            connect(sftp, replace(login, host_key=other, private_key="", password="s3cret"))
        assert "s3cret" not in str(error.value)
        assert "Failed password" not in (sftp.folder / "sshd.log").read_text()

    def test_a_server_with_a_key_of_another_kind_is_not_the_known_one(self, sftp: SftpServer, login: Login):
        key = paramiko.RSAKey.generate(2048)
        with pytest.raises(SourceDenied):
            connect(sftp, replace(login, host_key=f"ssh-rsa {key.get_base64()}"))

    def test_a_fingerprint_of_another_key_is_refused(self, sftp: SftpServer, login: Login):
        with pytest.raises(SourceDenied):
            connect(sftp, replace(login, host_key="", fingerprint="SHA256:" + "A" * 43))

    def test_a_host_key_that_is_none_is_a_wrong_configuration(self, sftp: SftpServer, login: Login):
        with pytest.raises(ConfigurationError):
            connect(sftp, replace(login, host_key="not a key"))


class TestWhoAsks:
    def test_a_key_that_the_server_does_not_know_is_denied(self, sftp: SftpServer, login: Login):
        with pytest.raises(SourceDenied):
            connect(sftp, replace(login, private_key=sftp.another_key("stranger").read_text()))

    def test_a_text_that_is_no_key_is_not_repeated_in_the_error(self, sftp: SftpServer, login: Login):
        with pytest.raises(ConfigurationError) as error:
            connect(sftp, replace(login, private_key="s3cret"))
        assert "s3cret" not in repr(error.value.__dict__) + str(error.value)

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can give sshd a user with a password")
    def test_a_password_lets_in_and_a_wrong_one_does_not(self, sftp: SftpServer, login: Login):
        put(sftp, "a.csv")
        for path in (sftp.root, *sftp.root.parents[:-1]):
            if path.stat().st_uid == os.getuid() and "pytest" in str(path):
                path.chmod(0o755)
        with user_with_password(sftp) as (user, password):
            known = replace(login, user=user, private_key="")
            with closing(connect(sftp, replace(known, password=password))) as folder:
                assert folder.names() == ["a.csv"]
            with pytest.raises(SourceDenied) as error:
                connect(sftp, replace(known, password="wr0ng"))
            assert "wr0ng" not in str(error.value)

    def test_a_password_in_the_address_is_refused(self, sftp: SftpServer, login: Login):
        address = sftp.url().replace("sftp://", "sftp://user:s3cret@")
        with pytest.raises(ConfigurationError) as error:
            SftpFolder(Guard(frozenset({sftp.host})), address, login, subfolders=True)
        assert "s3cret" not in str(error.value)

    def test_the_user_may_stand_in_the_address(self, sftp: SftpServer, login: Login):
        address = sftp.url().replace("sftp://", f"sftp://{sftp.user}@")
        with closing(
            SftpFolder(Guard(frozenset({sftp.host})), address, replace(login, user=""), subfolders=True)
        ) as folder:
            assert folder.names() == []


class TestAddress:
    def test_a_private_address_that_nobody_approved_is_refused(self, sftp: SftpServer, login: Login):
        with pytest.raises(AddressRefused):
            SftpFolder(Guard(), sftp.url(), login, subfolders=True)

    def test_a_port_that_nobody_listens_on(self, sftp: SftpServer, login: Login):
        sftp.stop()
        with pytest.raises(SourceUnreachable):
            connect(sftp, login)

    def test_a_web_server_is_no_sftp_server(self, web: Any, login: Login):
        with pytest.raises(SourceUnreachable):
            SftpFolder(Guard(frozenset({web.host})), f"sftp://{web.host}/", login, subfolders=True)

    def test_a_folder_that_is_not_there(self, sftp: SftpServer, login: Login):
        with pytest.raises(SourceUnreachable):
            connect(sftp, login, "none")

    def test_a_file_is_no_folder(self, sftp: SftpServer, login: Login):
        put(sftp, "a.csv")
        with pytest.raises(SourceMalformed):
            connect(sftp, login, "a.csv")


class TestNames:
    def test_files_of_sub_folders_have_slashes(self, sftp: SftpServer, login: Login, folder: Folder):
        for name in ("b.csv", "a.csv", "2018/三月.csv"):
            put(sftp, name)
        assert folder.names() == ["2018/三月.csv", "a.csv", "b.csv"]
        with closing(connect(sftp, login, subfolders=False)) as flat:
            assert flat.names() == ["a.csv", "b.csv"]

    def test_links_out_of_the_folder_and_to_folders_are_no_files(self, sftp: SftpServer, folder: Folder):
        secret = sftp.folder / "secret.csv"
        secret.write_text("a,b\n")
        put(sftp, "a.csv")
        (sftp.root / "out.csv").symlink_to(secret)
        (sftp.root / "circle").symlink_to(sftp.root)
        (sftp.root / "inside.csv").symlink_to(sftp.root / "a.csv")
        (sftp.root / "dangling.csv").symlink_to(sftp.root / "none.csv")
        assert folder.names() == ["a.csv", "inside.csv"]
        for name in ("out.csv", "circle/a.csv/../../secret.csv", "../secret.csv", str(secret)):
            with pytest.raises(FileNotFoundError):
                folder.fetch(name, {})

    def test_a_file_below_a_link_to_a_folder_outside_is_not_read(self, sftp: SftpServer, folder: Folder):
        outside = sftp.folder / "outside"
        outside.mkdir()
        (outside / "x.csv").write_text("a,b\n")
        (sftp.root / "linked").symlink_to(outside)
        with pytest.raises(FileNotFoundError):
            folder.fetch("linked/x.csv", {})


class TestFetching:
    def test_the_bytes_are_those_of_the_digest(self, sftp: SftpServer, folder: Folder):
        content = os.urandom(3_000_000)
        put(sftp, "a.csv", content)
        fetched = folder.fetch("a.csv", {})
        assert (fetched.digest, fetched.rule) == (hashlib.sha256(content).hexdigest(), "content")
        with folder.open("a.csv") as stream:
            assert stream.read() == content

    def test_size_and_time_tell_that_a_file_is_the_one_of_before(self, sftp: SftpServer, folder: Folder):
        path = put(sftp, "a.csv")
        first = folder.fetch("a.csv", {})
        path.write_bytes(b"x" * path.stat().st_size)
        os.utime(path, LONG_AGO)
        again = folder.fetch("a.csv", first.state)
        assert (again.unchanged, again.rule, again.digest) == (True, "listing", first.digest)

    def test_another_time_with_the_same_bytes_is_no_change(self, sftp: SftpServer, folder: Folder):
        path = put(sftp, "a.csv")
        first = folder.fetch("a.csv", {})
        os.utime(path, (1, 1))
        again = folder.fetch("a.csv", first.state)
        assert (again.unchanged, again.rule, again.digest) == (False, "content", first.digest)

    def test_the_time_of_a_file_that_was_just_written_is_not_trusted(self, sftp: SftpServer, folder: Folder):
        path = put(sftp, "a.csv", b"a,b\n1,2\n")
        os.utime(path)
        first = folder.fetch("a.csv", {})
        path.write_bytes(b"a,b\n1,3\n")
        os.utime(path, (path.stat().st_atime, int(path.stat().st_mtime)))
        assert folder.fetch("a.csv", first.state).digest != first.digest

    @pytest.mark.skipif(os.getuid() == 0, reason="root reads every file")
    def test_a_file_that_the_user_may_not_read_is_refused_alone(self, sftp: SftpServer, folder: Folder):
        put(sftp, "a.csv").chmod(0)
        put(sftp, "b.csv")
        with pytest.raises(RecordRefused) as error:
            folder.fetch("a.csv", {})
        assert found(error) == ["file-denied"]
        assert folder.fetch("b.csv", {}).digest

    def test_a_file_that_is_too_large_is_refused_alone(self, sftp: SftpServer, folder: Folder):
        with put(sftp, "a.rdf").open("r+b") as file:
            file.truncate(40 << 20)
        put(sftp, "b.csv")
        with pytest.raises(RecordRefused) as error:
            folder.fetch("a.rdf", {})
        assert found(error) == ["file-too-large"]
        assert folder.fetch("b.csv", {}).digest

    def test_a_pipe_is_no_file(self, sftp: SftpServer, folder: Folder):
        os.mkfifo(sftp.root / "a.csv")
        with pytest.raises(FileNotFoundError):
            folder.fetch("a.csv", {})


class TestInterruptions:
    """Faults that happen between two reads of one file."""

    @pytest.fixture
    def during(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        """``during(act)`` acts once, when the first part of the next file has arrived."""

        def during(act: Any, times: int = 1) -> None:
            read, left = paramiko.SFTPFile.read, [times]

            def reading(file: Any, size: Any = None) -> bytes:
                piece = read(file, size)
                if left[0] > 0 and piece:
                    left[0] -= 1
                    act()
                return piece

            monkeypatch.setattr(paramiko.SFTPFile, "read", reading)

        return during

    def test_a_connection_that_is_cut_is_made_anew(self, sftp: SftpServer, folder: Folder, during: Any):
        content = os.urandom(8_000_000)
        put(sftp, "a.csv", content)
        during(sftp.cut_connections)
        assert folder.fetch("a.csv", {}).digest == hashlib.sha256(content).hexdigest()

    def test_a_server_that_goes_away_fails_the_source_after_a_few_files(
        self, sftp: SftpServer, folder: Folder, during: Any
    ):
        for name in ("a.csv", "b.csv", "c.csv"):
            put(sftp, name, os.urandom(8_000_000))
        during(sftp.stop)
        for name in ("a.csv", "b.csv"):
            with pytest.raises(RecordRefused) as error:
                folder.fetch(name, {})
            assert found(error) == ["record-unreadable"]
        with pytest.raises(SourceUnreachable):
            folder.fetch("c.csv", {})

    def test_a_file_that_is_written_to_while_it_is_read_is_refused(self, sftp: SftpServer, folder: Folder, during: Any):
        path = put(sftp, "a.csv", b"a,b\n" * 1_000_000)

        def write() -> None:
            with path.open("ab") as file:
                file.write(b"1,2\n")

        during(write)
        with pytest.raises(RecordRefused) as error:
            folder.fetch("a.csv", {})
        assert found(error) == ["file-changed"]

    def test_a_file_that_is_replaced_while_it_is_read_gives_the_old_one_whole(
        self, sftp: SftpServer, folder: Folder, during: Any
    ):
        before, after = b"a,b\n" * 1_000_000, b"c,d\n" * 1_000_000
        path = put(sftp, "a.csv", before)
        new = put(sftp, "new.tmp", after)
        os.utime(new, (1, 1))
        during(lambda: new.replace(path))
        first = folder.fetch("a.csv", {})
        assert first.digest == hashlib.sha256(before).hexdigest()
        assert folder.fetch("a.csv", first.state).digest == hashlib.sha256(after).hexdigest()

    def test_a_file_that_is_another_one_at_the_second_look_is_refused(self, sftp: SftpServer, folder: Folder):
        path = put(sftp, "a.csv")
        state = folder.fetch("a.csv", {}).state
        with closing(connect(sftp, Login(sftp.user, "", sftp.private_key, sftp.host_key))) as other:
            assert other.fetch("a.csv", state).unchanged
            path.write_bytes(b"a,b\r\n3,4\r\n")
            with pytest.raises(RecordRefused) as error:
                other.open("a.csv")
            assert found(error) == ["file-changed"]


class TestErrors:
    def test_none_of_them_shows_a_secret(self, sftp: SftpServer, login: Login):
        shown = []
        for changes in ({"host_key": "x"}, {"private_key": "", "password": "s3cret"}, {"fingerprint": "SHA256:x"}):
            try:
                connect(sftp, replace(login, **changes)).close()
            except (SourceError, ConfigurationError) as error:
                shown.append(f"{error} {error.params}")
        assert len(shown) == 2
        assert not any("s3cret" in text or "PRIVATE" in text for text in shown)
