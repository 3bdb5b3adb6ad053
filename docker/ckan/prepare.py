"""What a container of the portal does before its server starts. Needs nothing but its environment.

    prepare.py render      write $CKAN_INI from the environment and the secrets
    prepare.py wait        return when PostgreSQL, Solr and Valkey answer
    prepare.py databases   create or repair roles and databases (needs the superuser's secret)
    prepare.py datastore   give the DataStore's roles their rights

A secret NAME is read from the file that $NAME_FILE names, else from /run/secrets/name, else from $NAME.
"""

from __future__ import annotations

import io
import os
import re
import sys
import urllib.parse
import urllib.request
from configparser import RawConfigParser
from pathlib import Path

import psycopg2
import redis
from psycopg2 import sql
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from ckanext.openhuizhou.private_file import write_private

SECTION = "app:main"
SECURE_COOKIES = ("SESSION_COOKIE_SECURE", "REMEMBER_COOKIE_SECURE")
# The owner of both databases has the name of the first.
DATABASE = os.environ.get("CKAN_DATABASE_NAME", "ckan")
DATASTORE = os.environ.get("DATASTORE_DATABASE_NAME", "datastore")
READER = f"{DATASTORE}_reader"


def secret(name: str) -> str:
    """One secret, without the newline that editors add. Its value never reaches a log or an error text."""
    variable = name.upper()
    file = os.environ.get(f"{variable}_FILE", f"/run/secrets/{name}")
    if Path(file).is_file():
        return Path(file).read_text("utf-8").strip()
    if variable in os.environ:
        return os.environ[variable]
    sys.exit(f"Secret {name} is missing: give {file}, {variable}_FILE or {variable}")


def setting(name: str, default: str) -> str:
    return os.environ.get(name) or default


def database_url(role: str, password: str, database: str) -> str:
    # Escaped letters would be lawful in a URL, but alembic takes their % for an interpolation (CKAN 2.12).
    if not re.fullmatch(r"[\w.~-]+", password, re.ASCII):
        sys.exit(f"The password of {role} may hold letters, digits and . _ ~ - only")
    address = setting("POSTGRES_ADDRESS", "postgres:5432")
    return f"postgresql://{role}:{password}@{address}/{database}"


def options() -> dict[str, str]:
    """Options that depend on where the portal runs; everything else stands in config/ckan.ini."""
    password = secret("ckan_database")
    site_url = setting("SITE_URL", "http://localhost:8080")
    valkey, number = urllib.parse.quote(secret("valkey"), safe=""), setting("VALKEY_DATABASE", "0")
    return {
        "use": f"config:{config_dir() / 'ckan.ini'}",
        "SECRET_KEY": secret("secret_key"),
        "api_token.jwt.encode.secret": f"string:{secret('jwt_secret')}",
        "api_token.jwt.decode.secret": f"string:{secret('jwt_secret')}",
        "sqlalchemy.url": database_url(DATABASE, password, DATABASE),
        "ckan.datastore.write_url": database_url(DATABASE, password, DATASTORE),
        "ckan.datastore.read_url": database_url(READER, secret("datastore_reader"), DATASTORE),
        "ckan.redis.url": f"redis://:{valkey}@{setting('VALKEY_ADDRESS', 'valkey:6379')}/{number}",
        "solr_url": setting("SOLR_URL", "http://solr:8983/solr/openhuizhou"),
        "ckan.site_url": site_url,
        # Browsers send neither cookie over plain http then; a site without TLS could not be logged in to.
        **dict.fromkeys(SECURE_COOKIES, str(site_url.lower().startswith("https:")).lower()),
        "ckan.site_id": setting("SITE_ID", "openhuizhou"),
        "ckan.storage_path": setting("STORAGE_PATH", "/var/lib/ckan"),
        "ckanext.openhuizhou.config_dir": str(config_dir()),
        "ckanext.openhuizhou.source_variables_file": setting("SOURCE_VARIABLES_FILE", ""),
        "ckanext.openhuizhou.secret_keys": secret("source_secrets"),
        "ckanext.openhuizhou.allowed_hosts": setting("ALLOWED_HOSTS", ""),
        "ckanext.openhuizhou.allowed_roots": setting("ALLOWED_ROOTS", ""),
    }


def config_dir() -> Path:
    return Path(setting("OPENHUIZHOU_CONFIG_DIR", "/srv/openhuizhou/config"))


def render() -> None:
    """Write ``$CKAN_INI`` (mode 600). ``[app:main]`` of the file that ``$SITE_INI`` names, if any, wins."""
    parser = RawConfigParser()
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    parser[SECTION] = {name: value.replace("%", "%%") for name, value in options().items()}
    if own := os.environ.get("SITE_INI"):
        parser.read_string(Path(own).read_text("utf-8"))
    text = io.StringIO()
    parser.write(text)
    write_private(Path(os.environ["CKAN_INI"]), text.getvalue())


def wait() -> None:
    """Return when every service answers; exit with the last reason after WAIT_SECONDS (120)."""
    values = options()
    checks = {"Valkey": lambda: redis.Redis.from_url(values["ckan.redis.url"]).ping(), "Solr": _ping_solr}
    # Before the roles exist the server can only be asked as its superuser.
    first = _superuser if "databases" in sys.argv[2:] else lambda: psycopg2.connect(values["sqlalchemy.url"])
    for name, check in {"PostgreSQL": lambda: first().close(), **checks}.items():
        _until_it_answers(name, check)


def _until_it_answers(name: str, check) -> None:
    errors = (psycopg2.OperationalError, redis.RedisError, OSError)
    limit = float(setting("WAIT_SECONDS", "120"))
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(errors), wait=wait_fixed(0.5), stop=stop_after_delay(limit), reraise=True
        ):
            with attempt:
                check()
    except errors as error:
        sys.exit(f"{name} did not answer within {limit:.0f} s: {str(error).strip()}")


def _ping_solr() -> None:
    url = setting("SOLR_URL", "http://solr:8983/solr/openhuizhou") + "/admin/ping?wt=json"
    with urllib.request.urlopen(url, timeout=5) as answer:
        answer.read()


def _superuser():
    return psycopg2.connect(database_url("postgres", secret("postgres_superuser"), "postgres"))


def databases() -> None:
    """Create what is missing and set the passwords to the secrets: a changed secret needs only a restart."""
    connection = _superuser()
    connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
    with connection.cursor() as cursor:
        for role, password in ((DATABASE, secret("ckan_database")), (READER, secret("datastore_reader"))):
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
            verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
            statement = sql.SQL("{} ROLE {} WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}")
            cursor.execute(statement.format(verb, sql.Identifier(role), sql.Literal(password)))
        for database in (DATABASE, DATASTORE):
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
            if not cursor.fetchone():
                statement = sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0")
                cursor.execute(statement.format(sql.Identifier(database), sql.Identifier(DATABASE)))
            statement = sql.SQL("REVOKE CONNECT, TEMPORARY ON DATABASE {} FROM PUBLIC")
            cursor.execute(statement.format(sql.Identifier(database)))
        # Times in published tables are the city's: shown and compared in its zone.
        statement = sql.SQL("ALTER DATABASE {} SET timezone TO 'Asia/Shanghai'")
        cursor.execute(statement.format(sql.Identifier(DATASTORE)))
    connection.close()


def datastore() -> None:
    """Run CKAN's own permission script in the DataStore, as the owner of that database."""
    from ckanext.datastore.cli import permissions_sql

    script = permissions_sql(DATABASE, DATASTORE, DATABASE, DATABASE, READER)
    script = "\n".join(line for line in script.splitlines() if not line.startswith("\\connect"))
    with psycopg2.connect(options()["ckan.datastore.write_url"]) as connection, connection.cursor() as cursor:
        cursor.execute(script)


COMMANDS = {"render": render, "wait": wait, "databases": databases, "datastore": datastore}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]]()
