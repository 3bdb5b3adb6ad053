"""Roles and databases inside the embedded server. Repeating it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import sql

from ckanext.openhuizhou.stack.layout import Secrets
from ckanext.openhuizhou.stack.ports import HOST
from ckanext.openhuizhou.stack.postgres import SUPERUSER

CKAN_ROLE = "ckan"
CKAN_DATABASE = "ckan"
DATASTORE_DATABASE = "datastore"
READER_ROLE = "datastore_reader"
# published times are the city's: they show with +08:00, and a filter without an offset means that zone
DATASTORE_ZONE = "Asia/Shanghai"


def url(role: str, password: str, port: int, database: str) -> str:
    return f"postgresql://{role}:{password}@{HOST}:{port}/{database}"


@contextmanager
def _superuser(port: int, secrets: Secrets, database: str = "postgres") -> Iterator[Any]:
    connection = psycopg2.connect(
        host=HOST, port=port, user=SUPERUSER, password=secrets["postgres_superuser"], dbname=database
    )
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def ensure_role(cursor: Any, role: str, password: str) -> None:
    """A login role with this password and no other right."""
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
    verb = "ALTER" if cursor.fetchone() else "CREATE"
    cursor.execute(
        sql.SQL(verb + " ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
            sql.Identifier(role), sql.Literal(password)
        )
    )


def ensure_database(cursor: Any, database: str, owner: str) -> None:
    """A UTF-8 database that only its owner and those granted later may enter."""
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
    if cursor.fetchone():
        return
    cursor.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(
            sql.Identifier(database), sql.Identifier(owner)
        )
    )
    cursor.execute(sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))


def create_site_databases(port: int, secrets: Secrets) -> None:
    """CKAN's two databases and its two roles."""
    with _superuser(port, secrets) as cursor:
        ensure_role(cursor, CKAN_ROLE, secrets["ckan_database"])
        ensure_role(cursor, READER_ROLE, secrets["datastore_reader"])
        ensure_database(cursor, CKAN_DATABASE, CKAN_ROLE)
        ensure_database(cursor, DATASTORE_DATABASE, CKAN_ROLE)
        cursor.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                sql.Identifier(DATASTORE_DATABASE), sql.Identifier(READER_ROLE)
            )
        )
        cursor.execute(
            sql.SQL("ALTER DATABASE {} SET timezone TO {}").format(
                sql.Identifier(DATASTORE_DATABASE), sql.Literal(DATASTORE_ZONE)
            )
        )


def create_department_database(port: int, secrets: Secrets, role: str, database: str) -> None:
    """A department's own front database in the same server: a role and a database of its own, shut to others."""
    with _superuser(port, secrets) as cursor:
        ensure_role(cursor, role, secrets[role])
        ensure_database(cursor, database, role)


def create_plain_site(port: int, secrets: Secrets, name: str) -> None:
    """Databases of a plain CKAN site of the demo: its own, its DataStore's with a reader, shut to others. The reader's
    rights are the site's affair."""
    tables, reader = f"{name}_datastore", f"{name}_reader"
    with _superuser(port, secrets) as cursor:
        ensure_role(cursor, name, secrets[name])
        ensure_role(cursor, reader, secrets[reader])
        ensure_database(cursor, name, name)
        ensure_database(cursor, tables, name)
        cursor.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(tables), sql.Identifier(reader))
        )


def plain_site_urls(port: int, secrets: Secrets, name: str) -> dict[str, str]:
    """The addresses of ``create_plain_site``'s databases: ``database``, ``datastore_write``, ``datastore_read``."""
    tables, reader = f"{name}_datastore", f"{name}_reader"
    return {
        "database": url(name, secrets[name], port, name),
        "datastore_write": url(name, secrets[name], port, tables),
        "datastore_read": url(reader, secrets[reader], port, tables),
    }


def set_datastore_permissions(port: int, secrets: Secrets) -> None:
    """Run what ``ckan datastore set-permissions`` prints: the reader reads, and only from the DataStore."""
    from ckanext.datastore.cli import permissions_sql

    script = permissions_sql(CKAN_DATABASE, DATASTORE_DATABASE, CKAN_ROLE, CKAN_ROLE, READER_ROLE)
    # psql's own commands; we are connected to the database already
    statements = "\n".join(line for line in script.splitlines() if not line.startswith("\\"))
    with _superuser(port, secrets, DATASTORE_DATABASE) as cursor:
        cursor.execute(statements)
