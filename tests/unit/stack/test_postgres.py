"""PostgreSQL does not run as root; who runs it then, and with which right."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from ckanext.openhuizhou.stack import postgres

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="changes the user, which only root may")


def test_an_ordinary_user_runs_it_as_itself():
    assert postgres.privileges(None, Path("/anywhere")) == []


def test_the_binaries_are_in_the_wheel():
    assert (postgres.binaries() / "initdb").is_file()
    assert (postgres.binaries() / "postgres").is_file()


@as_root
class TestRoot:
    def test_hands_over_to_an_unprivileged_user(self, tmp_path: Path):
        user = postgres.server_user(tmp_path / "none")
        assert user is not None
        assert user.pw_uid != 0

    def test_the_owner_of_an_existing_folder_goes_on(self, tmp_path: Path):
        nobody = pwd.getpwnam("nobody")
        os.chown(tmp_path, nobody.pw_uid, nobody.pw_gid)
        assert postgres.server_user(tmp_path) == nobody

    def test_no_capability_is_given_where_none_is_needed(self):
        line = postgres.privileges(pwd.getpwnam("nobody"), Path("/usr/bin/env"))
        assert not any("caps" in word for word in line)

    def test_a_closed_parent_folder_needs_one_capability_and_stays_closed(self, tmp_path: Path):
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        line = postgres.privileges(pwd.getpwnam("nobody"), closed / "cluster")
        assert [word for word in line if "ambient" in word] == ["--ambient-caps=+dac_read_search"]
        assert closed.stat().st_mode & 0o777 == 0o700
