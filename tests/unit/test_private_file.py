"""The writer of files with secrets."""

from __future__ import annotations

import stat
from pathlib import Path

from ckanext.openhuizhou.private_file import write_private


def test_is_readable_by_its_owner_only_also_when_it_replaces_an_open_file(tmp_path: Path):
    path = tmp_path / "made" / "secret"
    path.parent.mkdir()
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_makes_the_folder(tmp_path: Path):
    write_private(tmp_path / "new" / "secret", "密")
    assert (tmp_path / "new" / "secret").read_text("utf-8") == "密"
