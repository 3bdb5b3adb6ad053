"""What commands have in common: they act as the platform itself, through the actions, in the site's own language."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import ckan.plugins.toolkit as tk
import click
from ckan.types import Context


def call(name: str, /, **data: Any) -> Any:
    """The result of an action that the platform's own account calls.

    Raises:
        click.ClickException: the action refuses; with its sentences.
    """
    user = tk.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    context: Context = {"ignore_auth": True, "user": user}
    try:
        return tk.get_action(name)(context, data)
    except tk.ValidationError as error:
        summary = error.error_summary or error.error_dict
        text = "; ".join(f"{field}: {said}" for field, said in summary.items())
        raise click.ClickException(text or str(error)) from error
    except (tk.ObjectNotFound, tk.NotAuthorized) as error:
        raise click.ClickException(str(error)) from error


def in_site_language(context: click.Context) -> AbstractContextManager[Any]:
    """Sentences are translated as for a visitor who reads the site's own language."""
    language = {"CKAN_LANG": tk.config["ckan.locale_default"]}
    return context.meta["flask_app"].test_request_context(environ_overrides=language)
