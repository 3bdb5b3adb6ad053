"""Actions called by a page: CKAN's errors become pages, or sentences on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ckan.plugins.toolkit as tk

__all__ = ["call", "done", "need", "page_numbers", "page_of", "sentences"]


def call(action: str, data_dict: Mapping[str, Any] | None = None) -> Any:
    """What the action returns. Without the right to it: 403, or the way to log in; without its object: 404."""
    try:
        return tk.get_action(action)({}, dict(data_dict or {}))
    except tk.NotAuthorized as error:
        return tk.abort(403, error.message or tk._("Harvests are for officials"))
    except tk.ObjectNotFound as error:
        return tk.abort(404, error.message or "")


def need(action: str, data_dict: Mapping[str, Any], refusal: str = "") -> None:
    """403 before a form is shown that its reader could not send."""
    try:
        tk.check_access(action, {"user": tk.current_user.name}, dict(data_dict))
    except tk.NotAuthorized as error:
        tk.abort(403, refusal or error.message or tk._("Harvests are for officials"))
    except tk.ObjectNotFound as error:
        tk.abort(404, error.message or "")


def done(action: str, data_dict: Mapping[str, Any], message: str) -> Any:
    """As :py:func:`call` with a message for the next page: ``message``, or why it was not done (then None)."""
    try:
        result = call(action, data_dict)
    except tk.ValidationError as error:
        for sentence in sentences(error):
            tk.h.flash_error(sentence)
        return None
    tk.h.flash_success(message)
    return result if result is not None else {}


def sentences(error: tk.ValidationError) -> list[str]:
    """What is wrong, as it was said, without the names of fields."""
    return list(_texts(error.error_dict))


def page_of(size: int) -> dict[str, int]:
    """``limit`` and ``offset`` of the page that the address asks for."""
    return {"limit": size, "offset": (tk.h.get_page_number(tk.request.args) - 1) * size}


def page_numbers(count: int, size: int) -> dict[str, int]:
    """What the pager needs."""
    return {"page": tk.h.get_page_number(tk.request.args), "page_count": -(-count // size)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _texts(part)
    elif value:
        yield str(value)
