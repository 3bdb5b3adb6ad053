"""A connection that breaks during a request costs that request, and not the next one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from ckan import model
from ckan.tests import factories

from ckanext.openhuizhou.model.database import engine


class Cutter:
    """Once armed: the server cuts the connection of the next commit, just before it."""

    def __init__(self) -> None:
        self.armed = False

    def __call__(self, connection: sa.Connection) -> None:
        if self.armed:
            self.armed = False
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with sa.create_engine(engine().url).connect() as other:
                other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})


@pytest.fixture
def cutter() -> Iterator[Cutter]:
    made = Cutter()
    sa.event.listen(engine(), "commit", made)
    yield made
    sa.event.remove(engine(), "commit", made)


class TestLetGo:
    @pytest.mark.usefixtures("with_plugins")
    def test_the_next_request_of_the_thread_is_answered(self, app: Any, cutter: Cutter):
        token = factories.SysadminWithToken()["token"]
        model.Session.remove()
        client = app.test_client()
        cutter.armed = True
        # a token's last use is written before anything else happens; the page of the error asks who reads it, too
        with pytest.raises(sa.exc.SQLAlchemyError):
            client.get("/api/action/status_show", headers={"Authorization": token})
        assert not cutter.armed
        assert client.get("/api/action/status_show").status_code == 200

    @pytest.mark.usefixtures("with_plugins")
    def test_a_context_inside_of_a_transaction_leaves_it_alone(self, app: Any):
        """As workers make them, for translations and addresses."""
        with app.flask_app.test_request_context():
            tag = model.Tag(name=f"演示{uuid.uuid4().hex}")
            model.Session.add(tag)
            model.Session.flush()
            with app.flask_app.test_request_context():
                pass
            assert tag in model.Session
            model.Session.rollback()

    @pytest.mark.usefixtures("with_plugins")
    def test_a_context_outside_of_any_request_lets_go_of_nothing(self, app: Any):
        """CKAN makes one whenever a harvest makes an address, in the middle of its transaction."""
        session = model.Session()
        with app.flask_app.test_request_context():
            pass
        assert model.Session() is session
