"""``ckan openhuizhou seed``: organizations, demo accounts and sources. Run again, it changes nothing.

Everything is written through actions. An account's password is made once and stands in the credentials file, which
only its owner reads; a password that somebody changed in the portal is left alone.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ckan.plugins.toolkit as tk
import click
from ckan import model
from ckan.types import Context

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.departments import Department
from ckanext.openhuizhou.harvesters.seed import seed_sources
from ckanext.openhuizhou.model.database import exclusive
from ckanext.openhuizhou.model.department import departments
from ckanext.openhuizhou.model.role import has_role
from ckanext.openhuizhou.private_file import write_private

#: Fields of an organization that seeding keeps as the directory has them.
_KEPT = ("title", "short_name", "level", "region", "credit_code")


@dataclass(frozen=True, slots=True)
class Account:
    """A demo account. ``organization`` is where its user is an editor; ``platform_role`` as in ``domain.roles``."""

    name: str
    fullname: str
    sysadmin: bool = False
    platform_role: str | None = None
    organization: str | None = None


ACCOUNTS = (
    Account("admin", "系统管理员（演示账号）", sysadmin=True),
    Account("platform_officer", "平台管理员（演示账号）", platform_role="platform_officer"),
    Account("huanbaoju_officer", "市环保局数据专员（演示账号）", organization="huanbaoju"),
    Account("anjianju_officer", "市安全监管局数据专员（演示账号）", organization="anjianju"),
    Account("rensheju_officer", "市人力资源和社会保障局数据专员（演示账号）", organization="rensheju"),
    Account("minzhengju_officer", "市民政局数据专员（演示账号）", organization="minzhengju"),
    Account("jiaotongju_officer", "市交通运输局数据专员（演示账号）", organization="jiaotongju"),
)


@click.command("seed", short_help="Organizations, demo accounts and sources; run again, it changes nothing.")
@click.option(
    "--credentials",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="JSON file (mode 600) with the demo accounts' passwords; made when it is missing.",
)
def seed(credentials: Path) -> None:
    """Make organizations, demo accounts and sources that are missing, and mend those that differ."""
    # two at once would make the same account with two passwords
    with exclusive("openhuizhou seed"):
        organizations = _seed_organizations()
        accounts = _seed_accounts(credentials)
        sources = seed_sources()
    click.echo(f"organizations: {organizations} made or changed; accounts: {accounts} made; sources: {sources}")


def _context() -> Context:
    return {"ignore_auth": True, "user": _site_user()}


def _site_user() -> str:
    return tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]


def _seed_organizations() -> int:
    """Parents before children; returns how many were made or changed."""
    found = {organization["name"]: organization for organization in departments()}
    changed = 0
    for department in config.reference().directory:
        wanted = _organization(department)
        present = found.get(department.slug)
        if present is None:
            made = tk.get_action("organization_create")(_context(), wanted)
            # CKAN makes whoever creates an organization its administrator: here the platform's own account
            member = {"id": made["id"], "username": _site_user()}
            tk.get_action("organization_member_delete")(_context(), member)
        elif _differs(present, wanted, department):
            tk.get_action("organization_patch")(_context(), {**wanted, "id": present["id"]})
        else:
            continue
        changed += 1
    return changed


def _organization(department: Department) -> dict[str, Any]:
    return {
        "name": department.slug,
        "title": department.title,
        "short_name": department.short_name,
        "level": department.level,
        "region": department.region,
        "credit_code": department.credit_code,
        "credit_code_demo": True,
        "groups": [{"name": department.parent}] if department.parent else [],
    }


def _differs(present: dict[str, Any], wanted: dict[str, Any], department: Department) -> bool:
    """A real credit code that a department typed in stays; its name may be corrected by the directory only."""
    if not tk.asbool(present["credit_code_demo"] or False) and present["credit_code"]:
        wanted |= {"credit_code": present["credit_code"], "credit_code_demo": False}
    return present["parent"] != department.parent or any(present[field] != wanted[field] for field in _KEPT)


def _seed_accounts(credentials: Path) -> int:
    """Returns how many accounts were made. Passwords in the file are used again for accounts that are missing."""
    known = _passwords(credentials)
    made = [account for account in ACCOUNTS if model.User.by_name(account.name) is None]
    passwords = {account.name: known.get(account.name) or secrets.token_urlsafe(15) for account in made}
    for account in ACCOUNTS:
        if account not in made and account.name not in known:
            click.echo(f"{account.name}: exists, its password is not in the file; ckan user setpass {account.name}")
    if not passwords.items() <= known.items():
        # before the accounts exist: a password that nobody wrote down is lost
        content = {"accounts": list(_listed(known | passwords))}
        write_private(credentials, json.dumps(content, ensure_ascii=False, indent=2))
    for account in made:
        tk.get_action("user_create")(
            _context(),
            {
                "name": account.name,
                "fullname": account.fullname,
                "email": f"{account.name}@example.com",
                "password": passwords[account.name],
            },
        )
    for account in ACCOUNTS:
        _give_rights(account)
    return len(made)


def _passwords(credentials: Path) -> dict[str, str]:
    if not credentials.exists():
        return {}
    try:
        content = json.loads(credentials.read_text(encoding="utf-8"))
        return {account["name"]: account["password"] for account in content["accounts"]}
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{credentials} is damaged ({error}); move it away and seed again") from error


def _listed(passwords: dict[str, str]) -> Iterator[dict[str, Any]]:
    for account in ACCOUNTS:
        if account.name not in passwords:
            continue
        role = "sysadmin" if account.sysadmin else account.platform_role or "editor"
        yield {
            "name": account.name,
            "password": passwords[account.name],
            "role": role,
            "organization": account.organization,
        }


def _give_rights(account: Account) -> None:
    """What the account is for: sysadmin, a platform role, or editor of its department."""
    user = model.User.by_name(account.name)
    assert user is not None, "the account was made above"
    if account.sysadmin and not user.sysadmin:
        tk.get_action("user_patch")(_context(), {"id": user.id, "sysadmin": True})
    if account.platform_role and not has_role(user.id, account.platform_role):
        tk.get_action("openhuizhou_role_grant")(_context(), {"user": user.id, "role": account.platform_role})
    if account.organization:
        organization = model.Group.get(account.organization)
        assert organization is not None, "organizations are seeded first"
        if organization.id not in user.get_group_ids("organization", "editor"):
            tk.get_action("organization_member_create")(
                _context(), {"id": organization.id, "username": user.name, "role": "editor"}
            )
