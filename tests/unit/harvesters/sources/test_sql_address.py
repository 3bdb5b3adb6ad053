"""Where a database URL may lead: to the checked address only, whatever else the URL says."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event

from ckanext.openhuizhou.errors import AddressRefused, SourceMalformed
from ckanext.openhuizhou.harvesters.database import connect
from ckanext.openhuizhou.transport.guard import Guard

APPROVED = Guard(frozenset({"127.0.0.1:5432"}))


@pytest.mark.parametrize(
    "option",
    [
        "host=10.0.0.5",
        "hostaddr=10.0.0.5",
        "port=22",
        "service=other",
        "options=-c%20default_transaction_read_only=off",
        "passfile=/etc/passwd",
        "host=a:1&host=b:2",
    ],
)
def test_an_option_that_leads_elsewhere_is_refused(option: str) -> None:
    with pytest.raises(SourceMalformed, match="may not say"):
        connect(f"postgresql://reader@127.0.0.1:5432/front?{option}", APPROVED, 10)


@pytest.mark.parametrize("host", ["{root}/x,10.0.0.5", "10.0.0.5", "{root}&host=10.0.0.5", "/run/elsewhere"])
def test_a_socket_is_no_way_around_the_guard(host: str, tmp_path: Path) -> None:
    with pytest.raises(AddressRefused):
        connect(f"postgresql:///front?host={host.format(root=tmp_path)}", Guard(allowed_roots=(tmp_path,)), 10)


def test_an_unknown_kind_of_database_is_refused() -> None:
    with pytest.raises(SourceMalformed):
        connect("access://127.0.0.1:5432/front", APPROVED, 10)


def test_another_port_of_an_approved_host_is_refused() -> None:
    with pytest.raises(AddressRefused):
        connect("postgresql://reader@127.0.0.1:6379/front", APPROVED, 10)


def test_the_connection_goes_to_the_checked_address() -> None:
    guard = Guard(frozenset({"front.example:5432"}), resolver=lambda _host, _port: ["192.0.2.7"])
    engine = connect("postgresql://reader@front.example/front?sslmode=require", guard, 10)
    seen: dict[str, object] = {}

    @event.listens_for(engine, "do_connect")
    def stop(_dialect: object, _record: object, _arguments: object, parameters: dict[str, object]) -> None:
        seen.update(parameters)
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        engine.connect()
    assert (seen["host"], seen["hostaddr"]) == ("front.example", "192.0.2.7")
    assert "default_transaction_read_only=on" in str(seen["options"])
