"""Local folders, and the listing pages of web servers. SFTP has tests of its own."""

from __future__ import annotations

import functools
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ckanext.openhuizhou.errors import AddressRefused, RecordRefused, SourceDenied, SourceMalformed, SourceUnreachable
from ckanext.openhuizhou.transport import folders, spool
from ckanext.openhuizhou.transport.folder_address import open_folder
from ckanext.openhuizhou.transport.folders import Folder, safe_name
from ckanext.openhuizhou.transport.guard import Guard
from ckanext.openhuizhou.transport.http import HttpClient, Limits
from ckanext.openhuizhou.transport.spool import Spool, SpooledFile

#: How servers write the listing of a folder ``/files/`` with the files ``表 1.csv`` and ``b.csv`` and a folder ``old``.
NAME = quote("表 1.csv")
LISTINGS = {
    "apache": f"""<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">
<html><head><title>Index of /files</title></head><body><h1>Index of /files</h1><table>
<tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>
<tr><td><img src="/icons/back.gif"></td><td><a href="/">Parent Directory</a></td><td>&nbsp;</td></tr>
<tr><td></td><td><a href="old/">old/</a></td><td align="right">2018-03-01 02:23  </td><td align="right"> - </td></tr>
<tr><td></td><td><a href="{NAME}">表 1.csv</a></td><td align="right">2018-03-01 02:23  </td><td> 35K</td></tr>
<tr><td></td><td><a href="b.csv">b.csv</a></td><td align="right">2018-03-01 02:23  </td><td> 39K</td></tr>
</table><address>Apache/2.4 Server</address></body></html>""",
    "nginx": f"""<html>
<head><title>Index of /files/</title></head>
<body>
<h1>Index of /files/</h1><hr><pre><a href="../">../</a>
<a href="old/">old/</a>                              01-Mar-2018 02:23                   -
<a href="{NAME}">表 1.csv</a>                          01-Mar-2018 02:23               35840
<a href="b.csv">b.csv</a>                             01-Mar-2018 02:23               39936
</pre><hr></body>
</html>""",
    "iis": f"""<html><head><title>demo - /files/</title></head><body><H1>demo - /files/</H1><hr>
<pre><A HREF="/">[To Parent Directory]</A><br><br>
 3/1/2018  2:23 AM        &lt;dir&gt; <A HREF="/files/old/">old</A><br>
 3/1/2018  2:23 AM        35840 <A HREF="/files/{NAME}">表 1.csv</A><br>
 3/1/2018  2:23 AM        39936 <A HREF="/files/b.csv">b.csv</A><br></pre><hr></body></html>""",
    "python": f"""<!DOCTYPE HTML><html lang="en"><head><meta charset="utf-8"><title>Directory listing</title></head>
<body><h1>Directory listing for /files/</h1><hr><ul>
<li><a href="old/">old/</a></li><li><a href="{NAME}">表 1.csv</a></li><li><a href="b.csv">b.csv</a></li>
</ul><hr></body></html>""",
    "our demo department": f"""<html><body><h1>Index of /files/</h1>
<pre>     Name                    Last modified      Size<hr><a href="/">Parent Directory</a>
<a href="{NAME}">表 1.csv</a>  2018-03-01 02:23  35K
<a href="b.csv">b.csv</a>  2018-03-01 02:23  39K</pre></body></html>""",
    "gbk": f"""<html><head><meta charset="gb2312"></head><body><a href="../">上一级</a>
<a href="{quote("表 1.csv".encode("gbk"))}">表 1.csv</a> <a href="b.csv">b.csv</a>
<a href="old/">旧</a></body></html>""",
}


@pytest.fixture
def client(web: Any, tmp_path: Path) -> Iterator[HttpClient]:
    guard = Guard(frozenset({web.host}), (tmp_path,))
    with HttpClient(guard, Limits(attempts=2), sleep=lambda _seconds: None) as made:
        yield made


@pytest.fixture
def listed(web: Any, client: HttpClient) -> Iterator[Folder]:
    """A listing of ``a.csv``, ``b.csv``, ``c.csv``, ``d.csv``."""
    web.pages["/files/"] = "".join(f'<a href="{name}.csv">{name}</a>' for name in "abcd").encode()
    with closing(open_folder(web.url + "/files/", client)) as folder:
        yield folder


def kinds_of(error: pytest.ExceptionInfo[RecordRefused]) -> list[str]:
    return [finding.kind for finding in error.value.findings]


class TestListing:
    @pytest.mark.parametrize("server", LISTINGS)
    def test_of_each_server_names_the_files(self, web: Any, client: HttpClient, server: str):
        encoding = "gbk" if server == "gbk" else "utf-8"
        web.pages["/files/"] = LISTINGS[server].encode(encoding)
        web.pages[f"/files/{quote('表 1.csv'.encode(encoding))}"] = b"a,b\n"
        with closing(open_folder(web.url + "/files", client)) as folder:
            assert folder.names() == ["b.csv", "表 1.csv"]
            with folder.open("表 1.csv") as stream:
                assert stream.read() == b"a,b\n"

    def test_names_files_of_sub_folders_when_they_are_asked_for(self, web: Any, client: HttpClient):
        web.pages["/files/"] = LISTINGS["nginx"].encode()
        web.pages["/files/old/"] = b'<a href="../">../</a> <a href="c.csv">c</a> <a href="older/">o</a>'
        web.pages["/files/old/older/"] = b'<a href="d.csv">d</a>'
        web.pages["/files/old/c.csv"] = b"c"
        with closing(open_folder(web.url + "/files/", client, subfolders=True)) as folder:
            assert folder.names() == ["b.csv", "old/c.csv", "old/older/d.csv", "表 1.csv"]
            assert folder.fetch("old/c.csv", {}).digest == hashlib.sha256(b"c").hexdigest()

    @pytest.mark.parametrize(
        "href",
        [
            "../secret.csv",
            "/secret.csv",
            "%2e%2e/secret.csv",
            "..%2fsecret.csv",
            "a%2Fb.csv",
            "http://other.example/x.csv",
            "//other.example/x.csv",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "x.csv?download=1",
            "a%00.csv",
            "a%0a.csv",
            "%5c..%5csecret.csv",
            "http://[broken/x.csv",
            "",
            "#top",
        ],
    )
    def test_links_that_lead_out_of_the_folder_are_no_files(self, web: Any, client: HttpClient, href: str):
        web.pages["/files/"] = f'<a href="{href}">x</a> <a href="b.csv">b</a>'.encode()
        with closing(open_folder(web.url + "/files/", client)) as folder:
            assert folder.names() == ["b.csv"]

    def test_of_folders_without_end_is_refused(self, web: Any, client: HttpClient):
        class Everywhere(dict):
            def get(self, _path: str, _default: Any = None) -> bytes:
                return b"".join(b'<a href="%d/">x</a>' % number for number in range(10))

        web.pages = Everywhere()
        with (
            closing(open_folder(web.url + "/files/", client, subfolders=True)) as folder,
            pytest.raises(SourceMalformed),
        ):
            folder.names()
        assert len(web.requests) < 1000

    def test_of_very_many_files_is_refused(self, web: Any, client: HttpClient, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(folders, "MOST_NAMES", 100)
        web.pages["/files/"] = b"".join(b'<a href="%d.csv">x</a>' % number for number in range(101))
        with closing(open_folder(web.url + "/files/", client)) as folder, pytest.raises(SourceMalformed):
            folder.names()

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe\xff", b"<"])
    def test_that_is_none_fails_the_source_or_has_no_files(self, web: Any, client: HttpClient, content: bytes):
        web.pages["/files/"] = content
        with closing(open_folder(web.url + "/files/", client)) as folder:
            try:
                assert folder.names() == []
            except SourceMalformed:
                return

    def test_that_is_denied_fails_the_source(self, web: Any, client: HttpClient):
        web.pages["/files/"] = lambda _handler: (403, {}, b"")
        with closing(open_folder(web.url + "/files/", client)) as folder, pytest.raises(SourceDenied):
            folder.names()


class TestHttp:
    def test_an_etag_tells_that_a_file_is_the_one_of_before(self, web: Any, listed: Folder):
        def page(handler: Any) -> Any:
            same = handler.headers.get("If-None-Match") == '"1"'
            return (304, {}, b"") if same else (200, {"ETag": '"1"', "Last-Modified": "x"}, b"a,b\n")

        web.pages["/files/a.csv"] = page
        first = listed.fetch("a.csv", {})
        assert (first.rule, first.unchanged) == ("content", False)
        again = listed.fetch("a.csv", first.state)
        assert (again.rule, again.unchanged, again.digest, again.state) == ("etag", True, first.digest, first.state)

    def test_pythons_own_server_tells_it_by_the_time(self, tmp_path: Path):
        root = tmp_path / "served"
        root.mkdir()
        (root / "表.csv").write_bytes(b"a,b\n")
        handler = functools.partial(SimpleHTTPRequestHandler, directory=str(root))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        host = f"127.0.0.1:{server.server_address[1]}"
        try:
            with (
                HttpClient(Guard(frozenset({host}))) as client,
                closing(open_folder(f"http://{host}/", client)) as folder,
            ):
                assert folder.names() == ["表.csv"]
                first = folder.fetch("表.csv", {})
                again = folder.fetch("表.csv", first.state)
                assert (again.rule, again.unchanged) == ("last-modified", True)
        finally:
            server.shutdown()
            server.server_close()

    def test_without_marks_the_bytes_tell_it(self, web: Any, listed: Folder):
        web.pages["/files/a.csv"] = b"a,b\n"
        first = listed.fetch("a.csv", {})
        again = listed.fetch("a.csv", first.state)
        assert (again.rule, again.unchanged, again.digest) == ("content", False, first.digest)

    def test_rows_are_the_bytes_of_the_digest_without_another_request(self, web: Any, listed: Folder):
        web.pages["/files/a.csv"] = b"a,b\n"
        listed.fetch("a.csv", {})
        web.pages["/files/a.csv"] = b"c,d\n"
        with listed.open("a.csv") as stream:
            assert stream.read() == b"a,b\n"

    def test_a_file_that_is_another_one_at_the_second_look_is_refused(self, web: Any, listed: Folder):
        etag = {"ETag": '"1"'}
        web.pages["/files/a.csv"] = lambda _handler: (200, etag, b"a,b\n")
        state = listed.fetch("a.csv", {}).state
        listed._spool.drop("a.csv")  # as when many files came after it
        web.pages["/files/a.csv"] = lambda handler: (
            (304, {}, b"") if "If-None-Match" in handler.headers else (200, {}, b"x")
        )
        assert listed.fetch("a.csv", state).unchanged
        with pytest.raises(RecordRefused) as error:
            listed.open("a.csv")
        assert kinds_of(error) == ["file-changed"]

    @pytest.mark.parametrize(
        ("status", "expected"), [(404, None), (410, None), (403, "file-denied"), (400, "record-unreadable")]
    )
    def test_one_file_that_cannot_be_had_is_refused_alone(
        self, web: Any, listed: Folder, status: int, expected: str | None
    ):
        web.pages["/files/a.csv"] = lambda _handler: (status, {}, b"")
        web.pages["/files/b.csv"] = b"a,b\n"
        with pytest.raises((FileNotFoundError, RecordRefused)) as error:
            listed.fetch("a.csv", {})
        if expected is None:
            assert error.type is FileNotFoundError
        else:
            assert kinds_of(error) == [expected]
        assert listed.fetch("b.csv", {}).digest

    def test_a_token_that_is_wrong_fails_the_source(self, web: Any, listed: Folder):
        web.pages["/files/a.csv"] = lambda _handler: (401, {}, b"")
        with pytest.raises(SourceDenied):
            listed.fetch("a.csv", {})

    def test_a_server_that_answers_for_some_files_goes_on_and_one_that_answers_for_none_does_not(
        self, web: Any, listed: Folder
    ):
        for name in "acd":
            web.pages[f"/files/{name}.csv"] = lambda _handler: (500, {}, b"")
        web.pages["/files/b.csv"] = b"a,b\n"
        with pytest.raises(RecordRefused):
            listed.fetch("a.csv", {})
        listed.fetch("b.csv", {})
        for name in "ac":
            with pytest.raises(RecordRefused):
                listed.fetch(f"{name}.csv", {})
        with pytest.raises(SourceUnreachable):
            listed.fetch("d.csv", {})

    def test_half_of_an_answer_is_asked_again_from_the_beginning(self, web: Any, listed: Folder):
        answers = [({"Content-Length": "8"}, b"a,b\n"), ({}, b"a,b\n1,2\n")]
        web.pages["/files/a.csv"] = lambda _handler: (200, *answers.pop(0))
        fetched = listed.fetch("a.csv", {})
        assert fetched.digest == hashlib.sha256(b"a,b\n1,2\n").hexdigest()

    def test_a_file_that_is_too_large_is_refused_alone(self, web: Any, listed: Folder, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setitem(spool.MOST_BYTES, ".csv", 100)
        web.pages["/files/a.csv"] = b"x" * 101
        web.pages["/files/b.csv"] = b"x" * 100
        with pytest.raises(RecordRefused) as error:
            listed.fetch("a.csv", {})
        assert kinds_of(error) == ["file-too-large"]
        assert listed.fetch("b.csv", {}).digest


class TestLocal:
    @pytest.fixture
    def folder(self, client: HttpClient, tmp_path: Path) -> Iterator[Folder]:
        root = tmp_path / "root"
        root.mkdir()
        with closing(open_folder(str(root), client)) as made:
            yield made

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        return tmp_path / "root"

    def test_names_files_of_sub_folders(self, folder: Folder, root: Path):
        for name in ("b.csv", "old/a.csv", "old/older/c.csv"):
            (root / name).parent.mkdir(exist_ok=True, parents=True)
            (root / name).write_text("x")
        assert folder.names() == ["b.csv", "old/a.csv", "old/older/c.csv"]

    def test_links_do_not_lead_out_nor_in_circles(self, folder: Folder, root: Path, tmp_path: Path):
        (tmp_path / "secret.csv").write_text("x")
        (root / "a.csv").write_text("x")
        (root / "inside.csv").symlink_to(root / "a.csv")
        (root / "out.csv").symlink_to(tmp_path / "secret.csv")
        (root / "up").symlink_to(tmp_path)
        (root / "circle").symlink_to(root)
        assert folder.names() == ["a.csv", "inside.csv"]
        for name in (
            "out.csv",
            "up/secret.csv",
            "../secret.csv",
            "circle/../../secret.csv",
            str(tmp_path / "secret.csv"),
        ):
            with pytest.raises(FileNotFoundError):
                folder.fetch(name, {})

    def test_size_and_time_and_then_the_bytes_tell_a_change(self, folder: Folder, root: Path):
        path = root / "a.csv"
        path.write_bytes(b"a,b\n")
        first = folder.fetch("a.csv", {})
        assert folder.fetch("a.csv", first.state).rule == "listing"
        os.utime(path, (1, 1))
        touched = folder.fetch("a.csv", first.state)
        assert (touched.rule, touched.unchanged, touched.digest) == ("content", False, first.digest)

    def test_a_file_that_is_written_to_while_it_is_read_is_refused(
        self, folder: Folder, root: Path, monkeypatch: pytest.MonkeyPatch
    ):
        path = root / "a.csv"
        path.write_bytes(b"a,b\n" * 200_000)
        write = SpooledFile.write

        def writing(file: SpooledFile, chunk: bytes) -> None:
            write(file, chunk)
            with path.open("ab") as stream:
                stream.write(b"1,2\n")

        monkeypatch.setattr(SpooledFile, "write", writing)
        with pytest.raises(RecordRefused) as error:
            folder.fetch("a.csv", {})
        assert kinds_of(error) == ["file-changed"]

    def test_a_folder_that_nobody_allowed_is_refused(self, client: HttpClient):
        with pytest.raises(AddressRefused):
            open_folder("/etc", client)


class TestSafeNames:
    @pytest.mark.parametrize("name", ["表.csv", "a b.csv", "old/a.csv", "...csv", "a..b"])
    def test_of_files_stay(self, name: str):
        assert safe_name(name) == name

    @pytest.mark.parametrize(
        "name", ["", ".", "..", "../a", "a/../b", "/a", "a//b", "a\\b", "a\0b", "a\nb", "a/b/c/d/e/f"]
    )
    def test_lead_nowhere_else(self, name: str):
        assert safe_name(name) is None


class TestSpool:
    def test_readers_have_a_place_of_their_own(self):
        file = SpooledFile("a.csv")
        file.write(b"abc")
        first, second = file.open(), file.open()
        assert (first.read(2), second.read(1), first.read(), second.read()) == (b"ab", b"a", b"c", b"bc")
        assert (second.seek(-1, os.SEEK_END), second.read()) == (2, b"c")
        file.close()
        assert (first.seek(0), first.read()) == (0, b"abc")
        first.close()
        second.close()

    def test_keeps_what_came_last_within_its_bounds(self):
        kept = Spool(kept_bytes=10, kept_files=3)
        for name in "abcd":
            file = SpooledFile(name)
            file.write(b"xxx")
            kept.keep(file)
        assert [name for name in "abcd" if kept.get(name)] == ["b", "c", "d"]
        large = SpooledFile("e")
        large.write(b"x" * 20)
        kept.keep(large)
        assert [name for name in "abcde" if kept.get(name)] == ["e"]
        kept.close()

    def test_leaves_no_name_behind(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        file = SpooledFile("a.csv")
        file.write(b"x" * 100)
        assert list(tmp_path.iterdir()) == []
        file.close()
