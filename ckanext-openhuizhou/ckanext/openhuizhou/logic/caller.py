"""Who calls an action or an auth function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ckan import model


def caller(context: Mapping[str, Any]) -> model.User | None:
    """The context's user; None for a visitor and for code that names nobody."""
    user = context.get("auth_user_obj")
    if isinstance(user, model.User):
        return user
    name = context.get("user")
    return model.User.get(name) if name else None
