"""Writes the site's ini: ``config/ckan.ini`` with the addresses, folders and secrets of one stack on top."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from configparser import ConfigParser

from ckanext.openhuizhou.private_file import write_private
from ckanext.openhuizhou.stack import databases, solr, valkey
from ckanext.openhuizhou.stack.layout import Layout, Secrets
from ckanext.openhuizhou.stack.ports import HOST

SECTION = "app:main"


def site_url(layout: Layout) -> str:
    return f"http://{HOST}:{layout.web_port}"


def options(
    layout: Layout,
    secrets: Secrets,
    ports: Mapping[str, int],
    allowed_hosts: Sequence[str] = (),
    allowed_roots: Sequence[str] = (),
) -> dict[str, str]:
    """The options that depend on this stack.

    :param allowed_hosts: ``host:port`` of the demo departments; sources may not read this machine otherwise, unless
        ``OPENHUIZHOU_ALLOWED_HOSTS`` names more
    """
    postgres, password = ports["postgres"], secrets["ckan_database"]
    return {
        "SECRET_KEY": secrets["secret_key"],
        "api_token.jwt.encode.secret": f"string:{secrets['jwt_secret']}",
        "api_token.jwt.decode.secret": f"string:{secrets['jwt_secret']}",
        "sqlalchemy.url": databases.url(databases.CKAN_ROLE, password, postgres, databases.CKAN_DATABASE),
        "ckan.datastore.write_url": databases.url(
            databases.CKAN_ROLE, password, postgres, databases.DATASTORE_DATABASE
        ),
        "ckan.datastore.read_url": databases.url(
            databases.READER_ROLE, secrets["datastore_reader"], postgres, databases.DATASTORE_DATABASE
        ),
        "ckan.redis.url": valkey.url(ports["valkey"], secrets["valkey"]),
        "solr_url": solr.url(ports["solr"]),
        "ckan.storage_path": str(layout.storage),
        "ckan.site_url": site_url(layout),
        "ckan.site_id": f"openhuizhou-{layout.web_port}",
        "ckanext.openhuizhou.config_dir": str(layout.config),
        "ckanext.openhuizhou.source_variables_file": str(layout.source_variables),
        # 32 random bytes in URL-safe Base64, as the others, but with the = that Fernet wants
        "ckanext.openhuizhou.secret_keys": secrets["source_secrets"] + "=",
        "ckanext.openhuizhou.allowed_hosts": " ".join([*allowed_hosts, *_more_hosts()]),
        "ckanext.openhuizhou.allowed_roots": " ".join(allowed_roots),
    }


def _more_hosts() -> list[str]:
    return os.environ.get("OPENHUIZHOU_ALLOWED_HOSTS", "").split()


def render(base: str, own: Mapping[str, str]) -> str:
    """An ini that builds on ``base`` (a path, seen from the ini's folder). ``%`` is doubled, as ini files want it."""
    lines = [f"[{SECTION}]", f"use = config:{base}"]
    lines += [f"{name} = {value.replace('%', '%%')}" for name, value in own.items()]
    return "\n".join(lines) + "\n"


def test_options(layout: Layout) -> dict[str, str]:
    """What ``config/test.ini`` changes."""
    parser = ConfigParser()
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    parser.read(layout.config / "test.ini", encoding="utf-8")
    return dict(parser[SECTION])


def write(layout: Layout, own: Mapping[str, str]) -> None:
    """Write ``ckan.ini`` and ``test.ini`` to the data folder, readable by their owner only."""
    write_private(layout.ini, render(str(layout.config / "ckan.ini"), own))
    write_private(layout.data / "test.ini", render(layout.ini.name, test_options(layout)))
