"""Two operators, or two containers, seed one new site at the same moment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ckan import model

from ckanext.openhuizhou.cli.seed import ACCOUNTS


def test_two_seeds_at_once_make_one_city_with_one_password_each(
    site: Any, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    for account in ACCOUNTS:
        if user := model.User.by_name(account.name):
            user.purge()
    model.Session.commit()
    file = tmp_path / "credentials.json"
    command = [str(Path(sys.executable).with_name("ckan")), "-c", pytestconfig.getoption("--ckan-ini")]
    command += ["openhuizhou", "seed", "--credentials", str(file)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]
    said = [process.communicate(timeout=180)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    model.Session.rollback()
    for written in json.loads(file.read_text("utf-8"))["accounts"]:
        user = model.User.by_name(written["name"])
        assert user is not None
        assert user.validate_password(written["password"])
