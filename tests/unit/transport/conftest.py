"""A real SFTP server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sftp_server import SftpServer


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[SftpServer]:
    """A server of this test's own."""
    folder = tmp_path / "sftp"
    folder.mkdir()
    server = SftpServer(folder)
    yield server
    server.stop()
