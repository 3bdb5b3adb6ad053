"""Point 20 of docs/harvest-failures.md, the page: a hundred thousand findings are sent while they are read."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from ckan import model
from tests.integration.harvesters.test_known_failures_size import add_findings
from tests.integration.portal.harvest.conftest import Office

from ckanext.openhuizhou.model.database import engine

COUNT = 100_000


def fetching() -> int:
    """How many transactions of the portal's database stand before a cursor that has more."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'FETCH%' AND state = 'idle in transaction'"
    with engine().connect() as connection:
        return connection.scalar(sa.text(query + " AND datname = current_database()")) or 0


def test_the_first_part_is_sent_while_the_database_still_holds_the_rest(office: Office) -> None:
    run = office.run(office.source()["id"], "dry")
    with office.app.flask_app.test_request_context():
        add_findings(run["id"], COUNT)
        model.Session.commit()
    answer: Any = office.get("platform", f"/harvest/run/{run['id']}/findings.csv")
    parts = iter(answer.response)
    first = next(parts)
    assert fetching() == 1
    sizes, lines = [len(first)], first.count(b"\n")
    for part in parts:
        sizes.append(len(part))
        lines += part.count(b"\n")
    assert lines == COUNT + 1
    assert max(sizes) < 1 << 20
    assert fetching() == 0
