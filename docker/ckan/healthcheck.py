"""healthcheck.py web | worker | scheduler: exits 0 when this container does its work.

The web server must answer the API's status; a worker must have told Valkey within the last minutes that it lives;
the scheduler must have asked the database for the lead, or kept it, within the last minute.
"""

import json
import os
import sys
import urllib.request
from datetime import UTC, datetime, timedelta


def web() -> bool:
    port = os.environ.get("BIND", "0.0.0.0:5000").rsplit(":", 1)[1]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/3/action/status_show", timeout=5) as answer:
        return json.load(answer)["success"] is True


def worker() -> bool:
    import redis
    from ckan.cli import CKANConfigLoader
    from rq import Worker

    config = CKANConfigLoader(os.environ.get("CKAN_INI", "/run/ckan/ckan.ini")).get_config()
    connection = redis.Redis.from_url(config["ckan.redis.url"])
    here = os.uname().nodename
    alive = datetime.now(UTC) - timedelta(minutes=10)
    for known in Worker.all(connection=connection):
        heartbeat = known.last_heartbeat
        if known.hostname == here and heartbeat and heartbeat.replace(tzinfo=UTC) > alive:
            return True
    return False


def scheduler() -> bool:
    import psycopg2
    from ckan.cli import CKANConfigLoader

    config = CKANConfigLoader(os.environ.get("CKAN_INI", "/run/ckan/ckan.ini")).get_config()
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE starts_with(application_name, %s)"
        " AND state_change > now() - interval '60 seconds'"
    )
    connection = psycopg2.connect(config["sqlalchemy.url"], connect_timeout=5)
    with connection, connection.cursor() as cursor:
        cursor.execute(query, (f"openhuizhou scheduler {os.uname().nodename[:30]}:",))
        row = cursor.fetchone()
    return row is not None and row[0] > 0


if __name__ == "__main__":
    sys.exit(0 if {"web": web, "worker": worker, "scheduler": scheduler}[sys.argv[1]]() else 1)
