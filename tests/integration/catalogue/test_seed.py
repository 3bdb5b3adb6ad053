"""``ckan openhuizhou seed`` makes the city once, and mends what differs."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import pytest
from ckan import model
from click.testing import CliRunner, Result

from ckanext.openhuizhou import config
from ckanext.openhuizhou.cli.seed import ACCOUNTS, seed
from ckanext.openhuizhou.model.department import departments
from ckanext.openhuizhou.model.role import roles_of

#: The example of GB 32100-2015.
REAL = "91350100M000100Y43"


@pytest.fixture
def run(site: Any, tmp_path: Path) -> Callable[[], Result]:
    """``run()`` seeds with the credentials file ``<tmp_path>/credentials.json``."""

    def seeding() -> Result:
        with site.app.flask_app.test_request_context():
            return CliRunner().invoke(seed, ["--credentials", str(tmp_path / "credentials.json")])

    return seeding


@pytest.fixture
def no_accounts(site: Any) -> None:
    """As in a database that was never seeded."""
    for account in ACCOUNTS:
        user = model.User.by_name(account.name)
        if user is not None:
            user.purge()
    model.Session.commit()


class TestSeed:
    def test_makes_organizations_accounts_and_roles_once(
        self, run: Callable[[], Result], site: Any, tmp_path: Path, no_accounts: None
    ):
        first = run()
        assert first.exit_code == 0, first.output
        found = {each["name"]: each for each in departments()}
        for department in config.reference().directory:
            made = found[department.slug]
            assert (made["title"], made["short_name"], made["level"], made["region"], made["parent"]) == (
                department.title,
                department.short_name,
                department.level,
                department.region,
                department.parent,
            )
            assert made["credit_code"] == department.credit_code
            members = tk.get_action("member_list")({"ignore_auth": True}, {"id": made["id"], "object_type": "user"})
            site_user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["id"]
            assert site_user not in {member[0] for member in members}, "a technical account is no member"
            assert tk.asbool(made["credit_code_demo"])
        officer = model.User.by_name("platform_officer")
        assert officer is not None
        assert roles_of(officer.id) == {"platform_officer"}
        data_officer = model.User.by_name("huanbaoju_officer")
        assert data_officer is not None
        assert data_officer.get_group_ids("organization", "editor") == [found["huanbaoju"]["id"]]
        assert model.User.by_name("admin").sysadmin

        written = (tmp_path / "credentials.json").read_bytes()
        second = run()
        assert second.exit_code == 0, second.output
        assert "organizations: 0 made or changed; accounts: 0 made" in second.output
        assert (tmp_path / "credentials.json").read_bytes() == written

    def test_writes_passwords_that_only_their_owner_reads_and_that_work(
        self, run: Callable[[], Result], tmp_path: Path, no_accounts: None
    ):
        run()
        file = tmp_path / "credentials.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        accounts = {account["name"]: account["password"] for account in json.loads(file.read_text("utf-8"))["accounts"]}
        assert set(accounts) == {account.name for account in ACCOUNTS}
        assert len(set(accounts.values())) == len(accounts)
        for name, password in accounts.items():
            assert len(password) >= 20
            assert model.User.by_name(name).validate_password(password)

    def test_uses_the_file_again_for_an_empty_database(
        self, run: Callable[[], Result], tmp_path: Path, no_accounts: None
    ):
        password = "kept-from-before-12"
        (tmp_path / "credentials.json").write_text(
            json.dumps({"accounts": [{"name": "admin", "password": password}]}), "utf-8"
        )
        run()
        assert model.User.by_name("admin").validate_password(password)

    def test_writes_no_password_that_it_does_not_know(self, run: Callable[[], Result], tmp_path: Path):
        run()
        file = tmp_path / "credentials.json"
        file.unlink(missing_ok=True)
        result = run()
        assert result.exit_code == 0, result.output
        assert "ckan user setpass admin" in result.output
        assert not file.exists()

    def test_mends_an_organization_and_keeps_a_real_credit_code(self, run: Callable[[], Result], site: Any):
        run()
        site.act(
            "sysadmin",
            "organization_patch",
            id="qixiangju",
            title="气象局",
            credit_code=REAL,
        )
        assert "organizations: 1 made or changed" in run().output
        mended = {each["name"]: each for each in departments()}["qixiangju"]
        assert mended["title"] == "惠州市气象局"
        assert mended["credit_code"] == REAL
        assert not tk.asbool(mended["credit_code_demo"])
        assert "organizations: 0 made or changed" in run().output

    def test_with_a_damaged_credentials_file_stops_and_says_so(self, run: Callable[[], Result], tmp_path: Path):
        (tmp_path / "credentials.json").write_text("{", "utf-8")
        result = run()
        assert result.exit_code == 1
        assert "credentials.json is damaged" in result.output
        assert (tmp_path / "credentials.json").read_text("utf-8") == "{"
