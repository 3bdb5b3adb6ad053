"""YAML that a person typed: read without any risk, and told by line what is wrong with it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final

import yaml

from ckanext.openhuizhou.errors import ConfigurationError

#: Characters; the largest mapping of the demo departments has 9,000.
LARGEST: Final = 200_000
_DEEPEST: Final = 30
#: The parser in C, where PyYAML was built with it, is ten times faster.
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def N_(msgid: str) -> str:  # noqa: N802 - gettext's own name, marks a msgid for extraction
    return msgid


def read_yaml_text(text: str) -> Any:
    """What stands in the text, as JSON could say it: dates are texts, keys are texts.

    Raises:
        ConfigurationError: ``message`` is a msgid; ``params`` has ``line`` (from 1, None when unknown).
    """
    if len(text) > LARGEST:
        raise ConfigurationError(N_("the text is longer than {most} characters"), line=None, most=LARGEST)
    try:
        _refuse_bombs(text)
        # the loader is one of the two safe ones
        value = yaml.load(text, Loader=_LOADER)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else None
        raise ConfigurationError(N_("this is no YAML: {reason}"), line=line, reason=error.problem or "?") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(N_("this is no YAML: {reason}"), line=None, reason=type(error).__name__) from error
    return plain_json(value)


def plain_json(value: Any) -> Any:
    """``value`` as it comes back from the database: what JSON cannot say, or PostgreSQL cannot keep, is refused.

    Raises:
        ConfigurationError: as ``read_yaml_text``.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_date)
        if "\\u0000" in text:
            raise ValueError("NUL")
        text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            N_("only texts, numbers, yes and no, dates, lists and mappings may stand here"), line=None
        ) from error
    return json.loads(text)


def _date(value: Any) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError


def _refuse_bombs(text: str) -> None:
    """An alias repeats what may itself hold aliases: ten lines become a billion values."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise ConfigurationError(N_("aliases (*name) are not read here: write the part out"), line=line)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            raise ConfigurationError(N_("the text is nested more than {most} deep"), line=line, most=_DEEPEST)
