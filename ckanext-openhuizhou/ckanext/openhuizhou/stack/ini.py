"""Fills the templates ``config/ckan.ini`` and ``config/test.ini``."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.stack import databases, solr, valkey
from ckanext.openhuizhou.stack.layout import Layout, Secrets, write_private
from ckanext.openhuizhou.stack.ports import HOST


def values(
    layout: Layout, secrets: Secrets, ports: Mapping[str, int], allowed_hosts: list[str], allowed_roots: list[str]
) -> dict[str, str]:
    """What the templates' ``${…}`` stand for."""
    postgres = ports["postgres"]
    ckan_password = secrets["ckan_database"]
    return {
        "secret_key": secrets["secret_key"],
        "jwt_secret": secrets["jwt_secret"],
        "database_url": databases.url(databases.CKAN_ROLE, ckan_password, postgres, databases.CKAN_DATABASE),
        "datastore_write_url": databases.url(
            databases.CKAN_ROLE, ckan_password, postgres, databases.DATASTORE_DATABASE
        ),
        "datastore_read_url": databases.url(
            databases.READER_ROLE, secrets["datastore_reader"], postgres, databases.DATASTORE_DATABASE
        ),
        "redis_url": valkey.url(ports["valkey"], secrets["valkey"]),
        "solr_url": solr.url(ports["solr"]),
        "storage_path": str(layout.storage),
        "site_url": site_url(layout),
        "site_id": f"openhuizhou-{layout.web_port}",
        "config_dir": str(layout.config),
        "source_variables_file": str(layout.source_variables),
        "allowed_hosts": " ".join(allowed_hosts),
        "allowed_roots": " ".join(allowed_roots),
    }


def site_url(layout: Layout) -> str:
    return f"http://{HOST}:{layout.web_port}"


def render(template: str, filled_in: Mapping[str, str]) -> str:
    """The template with its ``${…}`` filled in. A ``%`` in a value is doubled, as ini files want it.

    :raises ConfigurationError: the template names a value that we do not have, or has a ``$`` that names none
    """
    escaped = {name: value.replace("%", "%%") for name, value in filled_in.items()}
    try:
        return Template(template).substitute(escaped)
    except KeyError as error:
        raise ConfigurationError("the template names {name}, which the stack does not fill in", name=error) from None
    except ValueError as error:
        raise ConfigurationError("the template has a broken placeholder: {error}", error=error) from None


def write(layout: Layout, filled_in: Mapping[str, str]) -> None:
    """Write ``ckan.ini`` and ``test.ini`` to the data folder, readable by their owner only."""
    for target in (layout.ini, layout.data / "test.ini"):
        template = (layout.config / target.name).read_text(encoding="utf-8")
        # comments may show a placeholder as an example
        body = "".join(line for line in template.splitlines(keepends=True) if not line.startswith("#"))
        write_private(target, render(body, filled_in))
