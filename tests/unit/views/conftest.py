"""Fixtures of the tests of views that need no stack."""

from __future__ import annotations

from collections.abc import Iterator

import flask
import pytest
from flask_babel import Babel


@pytest.fixture
def translated() -> Iterator[None]:
    """A request in which sentences can be made; they stay English."""
    app = flask.Flask("test")
    Babel(app)
    with app.test_request_context():
        yield
