"""Which kind of folder an address means."""

from __future__ import annotations

from .folders import Folder
from .http import HttpClient
from .http_folder import HttpFolder
from .local_folder import LocalFolder
from .sftp import Login, SftpFolder


def open_folder(url: str, client: HttpClient, login: Login | None = None, *, subfolders: bool | None = None) -> Folder:
    """The folder at an address: ``http(s)://…`` a listing, ``sftp://…``, anything else a path below an allowed root.

    ``subfolders``: also what lies in folders below; a web server's only when it is asked for, because a page has links
    of many kinds.
    """
    if url.startswith(("http://", "https://")):
        return HttpFolder(client, url, subfolders=bool(subfolders))
    deep = subfolders is not False
    if url.startswith("sftp://"):
        return SftpFolder(client.guard, url, login or Login(), subfolders=deep)
    return LocalFolder(client.guard, url.removeprefix("file://"), subfolders=deep)
