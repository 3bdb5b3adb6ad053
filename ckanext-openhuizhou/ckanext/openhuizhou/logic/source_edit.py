"""Making and changing a source: checked as a whole, secrets sealed, approval taken back, every change kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model
from ckan.types import Context
from sqlalchemy.exc import IntegrityError

from ckanext.openhuizhou.domain.city_time import utcnow
from ckanext.openhuizhou.harvesters.kinds import SourceKind, kinds, mapping_of
from ckanext.openhuizhou.logic.caller import caller
from ckanext.openhuizhou.logic.harvest_access import runs_the_platform
from ckanext.openhuizhou.logic.mapping_text import read_mapping, sentences
from ckanext.openhuizhou.logic.schema.harvest_source import source_schema
from ckanext.openhuizhou.logic.source_config import CheckedConfig, checked_config, leaves, sentence
from ckanext.openhuizhou.model.harvest import Record, Run, Source, source_id_of
from ckanext.openhuizhou.model.source_change import record_change
from ckanext.openhuizhou.transport.variables import without_secrets

#: What an editor gives, and what of a row it fills.
FIELDS: Final = (
    "title", "organization_id", "kind", "config", "mapping", "priority", "schedule", "notify", "contact_email",
    "active",
)  # fmt: skip
_PRIORITY: Final = 100
#: What a platform officer approves.
_APPROVED: Final = ("organization_id", "kind", "config", "secrets", "mapping", "priority")
#: What decides from where a source is read: what was remembered of the old place is worth nothing.
_PLACE: Final = ("kind", "config", "secrets")
#: Changes of one edit that are kept with their values, and letters of a value.
_MOST_CHANGES: Final = 200
_LONGEST_VALUE: Final = 300


def create(context: Context, data_dict: dict[str, Any]) -> Source:
    """A new source, in the session's transaction.

    Raises:
        ValidationError: by field.
    """
    values = _checked(context, data_dict, None)
    name = values.pop("name") or _free_name(values["kind"], values["organization_id"])
    source = Source(id=source_id_of(name), name=name, state={}, approved=False, **values)
    model.Session.add(source)
    try:
        model.Session.flush()
    except IntegrityError as error:
        model.Session.rollback()
        raise tk.ValidationError({"name": [tk._("There is a source of this name already")]}) from error
    by = caller(context)
    record_change(source, "created", by.id if by else None, list(_differences({}, _row(source))))
    return source


def change(context: Context, source: Source, data_dict: dict[str, Any]) -> None:
    """Change a source that the session has locked, in its transaction; nothing happens when nothing differs.

    Raises:
        ValidationError: by field; ``modified`` when somebody else has changed it since the caller looked.
    """
    same_as_seen(source, data_dict.get("modified"))
    values = _checked(context, data_dict, source)
    if values.pop("name") not in (None, source.name):
        raise tk.ValidationError({"name": [tk._("The name of a source stays: the ids of its entries come from it")]})
    changed = {name for name, value in values.items() if getattr(source, name) != value}
    if not changed:
        return
    if changed & set(_PLACE):
        _refuse_during_run(source)
    before = _row(source)
    for name in changed:
        setattr(source, name, values[name])
    if changed & set(_APPROVED) and not runs_the_platform(context):
        source.approved, source.approved_by, source.approved_at = False, None, None
    if changed & {"schedule", "active"}:
        source.next_run = None
    if changed & set(_PLACE):
        _forget(source)
    source.modified = utcnow()
    by = caller(context)
    record_change(source, "updated", by.id if by else None, list(_differences(before, _row(source))))


def same_as_seen(source: Source, modified: object) -> None:
    """Refuse when the source is not as the caller saw it.

    Raises:
        ValidationError: under ``modified``.
    """
    if modified and str(modified) != seen_at(source):
        sentence = tk._("Somebody else has changed the source meanwhile; look at it again before you save")
        raise tk.ValidationError({"modified": [sentence]})


def seen_at(source: Source) -> str:
    """The version of a source that a form carries with it."""
    return source.modified.isoformat(timespec="microseconds")


def locked(source_id: str) -> Source:
    """The source as it is now, held until the transaction ends."""
    query = sa.select(Source).where(Source.id == source_id).with_for_update()
    return model.Session.execute(query.execution_options(populate_existing=True)).scalar_one()


def given_of(source: Source) -> dict[str, Any]:
    """A source as an editor would give it, for a change of some fields."""
    return {name: getattr(source, name) for name in FIELDS}


def checked_mapping(kind: type[SourceKind], given: Any) -> tuple[dict[str, Any], list[str]]:
    """The mapping to be stored, and what is wrong with it; an empty one is right when the kind has its own."""
    document, errors = read_mapping(given)
    if errors:
        return {}, sentences(errors)
    if not mapping_of(kind, document):
        return {}, [tk._("A mapping is needed: which field of the source fills which field of the catalogue")]
    return document or {}, []


def config_errors(checked: CheckedConfig) -> dict[str, Any]:
    """What is wrong with a configuration, under ``config.`` and the option's path."""
    errors: dict[str, Any] = {}
    for problem in checked.problems:
        errors.setdefault(f"config.{problem.path}".rstrip("."), []).append(sentence(problem))
    return errors


def _checked(context: Context, data_dict: dict[str, Any], old: Source | None) -> dict[str, Any]:
    data, errors = tk.navl_validate(data_dict, source_schema(), context)
    kind = kinds().get(data.get("kind") or "")
    by_platform = runs_the_platform(context)
    config, mapping = CheckedConfig({}, {}), {}
    if kind is not None and not {"kind", "config"} & set(errors):
        config = _config(data, kind, old, by_platform=by_platform)
        errors |= config_errors(config)
        mapping, mistakes = _mapping(data.get("mapping"), kind, old)
        errors |= {"mapping": mistakes} if mistakes else {}
    if not by_platform and data.get("priority") != (old.priority if old else _PRIORITY):
        errors.setdefault("priority", []).append(tk._("Only a platform officer sets the priority"))
    if old is None and not errors.get("name") and data.get("name") and _taken(data["name"]):
        errors["name"] = [tk._("There is a source of this name already")]
    if errors:
        raise tk.ValidationError(errors)
    return {
        "name": data.get("name"),
        **{name: data.get(name) for name in FIELDS},
        "config": config.config,
        "secrets": config.secrets,
        "mapping": mapping,
    }


def _config(data: Mapping[str, Any], kind: type[SourceKind], old: Source | None, *, by_platform: bool) -> CheckedConfig:
    """What stays as it is is not judged anew: a source can be stopped whatever has become of its kind."""
    given, removed = data.get("config") or {}, data.get("secrets_removed") or []
    if old is not None and not removed and (kind.name, given) == (old.kind, old.config):
        return CheckedConfig(old.config, old.secrets)
    return checked_config(given, kind.options, old, removed, by_platform=by_platform)


def _mapping(given: Any, kind: type[SourceKind], old: Source | None) -> tuple[dict[str, Any], list[str]]:
    if old is not None and (kind.name, given) == (old.kind, old.mapping):
        return old.mapping, []
    return checked_mapping(kind, given)


def _taken(name: str) -> bool:
    return model.Session.execute(sa.select(Source.id).where(Source.name == name)).first() is not None


def _free_name(kind: str, organization_id: str) -> str:
    organization = model.Group.get(organization_id)
    base = re.sub(r"[^a-z0-9-]+", "-", f"{organization.name if organization else 'source'}-{kind}".lower())[:80]
    known = sa.select(Source.name).where(Source.name.startswith(base, autoescape=True))
    names = set(model.Session.scalars(known))
    candidates = [base, *(f"{base}-{number}" for number in range(2, len(names) + 2))]
    return next(name for name in candidates if name not in names)


def _refuse_during_run(source: Source) -> None:
    """A run goes on with what it began with, and would remember what it saw there as of the new place."""
    query = sa.select(Run.id).where(Run.source_id == source.id, Run.state.in_(("running", "paused")))
    if model.Session.execute(query.limit(1)).first():
        sentence = tk._("A run of this source is under way; cancel it, or wait for its end, before you change this")
        raise tk.ValidationError({"config": [sentence]})


def _forget(source: Source) -> None:
    source.state, source.state_mapping = {}, None
    model.Session.execute(
        sa.update(Record)
        .where(Record.source_id == source.id)
        .values(kind_state={}, payload_digest=None)
        .execution_options(synchronize_session=False)
    )


def _row(source: Source) -> dict[str, Any]:
    """What is kept of a source with each change: of its secrets no more than that they are not the same."""
    return {
        **given_of(source),
        "config": without_secrets(source.config),
        "approved": source.approved,
        "secrets": dict(source.secrets),
    }


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Field by field, in the fields' order; parts of configuration and mapping by their path."""
    was, now = dict(leaves(dict(before))), dict(leaves(dict(after)))
    fields = [path for path in {**was, **now} if was.get(path) != now.get(path)]
    for path in fields[:_MOST_CHANGES]:
        if path.startswith("secrets."):
            yield {"field": path, "before": _kept(was.get(path)), "after": _kept(now.get(path))}
        else:
            yield {"field": path, "before": _short(was.get(path)), "after": _short(now.get(path))}


def _kept(token: object) -> str | None:
    return "***" if token else None


def _short(value: Any) -> Any:
    return value[:_LONGEST_VALUE] if isinstance(value, str) else value
