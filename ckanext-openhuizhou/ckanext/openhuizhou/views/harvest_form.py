"""The form of a source: fields from the options that its kind declares, and what was typed as a configuration.

A field is called ``config.<path of the option>``. Secret options are never shown again, whatever becomes of the form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import ckan.plugins.toolkit as tk

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas.yaml_text import read_yaml_text

from .mapping_text import plain_yaml

__all__ = ["Field", "SourceForm", "config_fields"]

#: Fields of a source beside its configuration.
PLAIN: Final = ("title", "name", "organization_id", "notify", "contact_email", "priority")
#: What the choice of a schedule is called when the reader writes a cron expression.
CUSTOM: Final = "custom"
#: Ready choices; the texts are made by ``h.openhuizhou_schedule``.
SCHEDULES: Final = ("0 * * * *", "0 3 * * *", "30 5 * * *", "0 12 * * *", "0 3 * * 1", "0 3 1 * *")
#: Options that take several lines, though they are one text.
LONG_TEXTS: Final = frozenset({"post", "query"})

Option = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One option as the form shows it. ``value`` is what the control holds; ``fields`` are those of a group.

    ``used``: whether something stands in it. ``folded``: it is seldom needed, and nothing stands in it.
    """

    path: str
    label: str
    help: str
    type: str
    required: bool = False
    choices: Sequence[str] | None = None
    secret: bool = False
    is_set: bool = False
    value: str = ""
    placeholder: str = ""
    errors: Sequence[str] = ()
    fields: Sequence[Field] = ()
    used: bool = False
    folded: bool = False

    @property
    def name(self) -> str:
        return f"config.{self.path}"


@dataclass(slots=True)
class SourceForm:
    """A form as it was sent, or as it is first shown. ``source``: the stored one, None for a new one."""

    kind: Mapping[str, Any]
    source: Mapping[str, Any] | None
    values: dict[str, str]
    errors: dict[str, list[str]] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    secrets_removed: list[str] = field(default_factory=list)
    sent: bool = False

    @classmethod
    def blank(cls, kind: Mapping[str, Any], mapping: str, **values: str) -> SourceForm:
        """A new source of that kind."""
        start = {"schedule": "0 3 * * *", "notify": "error", "priority": "100", "active": "true", "mapping": mapping}
        return cls(kind, None, start | values)

    @classmethod
    def stored(cls, kind: Mapping[str, Any], source: Mapping[str, Any]) -> SourceForm:
        """A source as it is stored."""
        values = {name: "" if source.get(name) is None else str(source[name]) for name in (*PLAIN, "schedule")}
        values |= {"active": "true" if source.get("active") else "", "modified": str(source.get("modified") or "")}
        return cls(kind, source, values | _shown(kind["options"], source.get("config") or {}))

    @classmethod
    def typed(cls, kind: Mapping[str, Any], source: Mapping[str, Any] | None) -> SourceForm:
        """What the reader has sent, read as the kind's options say; mistakes of form are in ``errors``."""
        sent = tk.request.form
        values = {name: sent.get(name, "").strip() for name in (*PLAIN, "modified")}
        choice = sent.get("schedule_choice", "")
        values["schedule"] = sent.get("schedule", "").strip() if choice == CUSTOM else choice
        values["schedule_choice"] = choice
        values["active"] = "true" if sent.get("active") else ""
        values["mapping"] = sent.get("mapping", "").replace("\r\n", "\n")
        values |= {name: text for name, text in sent.items() if name.startswith("config.")}
        form = cls(kind, source, values, secrets_removed=sent.getlist("secrets_removed"), sent=True)
        form.config = form._read(kind["options"], "")
        return form

    @property
    def source_id(self) -> str | None:
        return self.source["id"] if self.source else None

    def fields(self) -> list[Field]:
        """The fields of the configuration; those of a group inside it."""
        secrets = (self.source or {}).get("secrets") or ()
        values = {} if self.sent else self.values
        return config_fields(self.kind["options"], self.values if self.sent else values, self.errors, secrets)

    def lost_secrets(self) -> bool:
        """Whether a secret was typed that the page cannot give back."""
        secrets = (path for path, option in _leaves(self.kind["options"]) if option.get("secret"))
        return self.sent and any(self.values.get(f"config.{path}") for path in secrets)

    def source_dict(self) -> dict[str, Any]:
        """What the actions take: all of a new source, or what the form may change of a stored one."""
        asked: dict[str, Any] = {name: self.values.get(name, "") for name in PLAIN}
        asked |= {"schedule": self.values["schedule"] or None, "active": bool(self.values.get("active"))}
        asked["config"] = self.config
        if self.source is None:
            return {name: value for name, value in asked.items() if name != "name" or value} | {
                "kind": self.kind["name"],
                "mapping": self.values["mapping"],
            }
        del asked["name"], asked["organization_id"]
        return asked | {
            "id": self.source["id"],
            "secrets_removed": self.secrets_removed,
            "modified": self.values["modified"],
        }

    def draft(self) -> dict[str, Any]:
        """What a test or a preview of the form as it stands takes."""
        asked: dict[str, Any] = {"kind": self.kind["name"], "config": self.config}
        if self.source is None:
            return asked | {"organization_id": self.values["organization_id"], "mapping": self.values["mapping"]}
        return asked | {
            "id": self.source["id"],
            "organization_id": self.source["organization_id"],
            "mapping": self.source.get("mapping") or {},
        }

    def refuse(self, error: tk.ValidationError) -> None:
        """Put what an action found wrong beside the fields; what belongs to none stays under its own name."""
        for name, messages in error.error_dict.items():
            self._refuse(str(name), messages)
        for path, option in _leaves(self.kind["options"]):
            name = f"config.{path}"
            if name in self.errors and option.get("required") and not self.values.get(name, "").strip():
                self.errors[name] = [tk._("Please fill this in")]

    @staticmethod
    def id_of(name: str) -> str:
        """The id of a field's control."""
        return "field-" + name.replace(".", "-")

    def label_of(self, name: str) -> str:
        """What stands before a mistake in a list of mistakes: which option it is about; empty for other fields."""
        option = dict(_leaves(self.kind["options"])).get(name.removeprefix("config."))
        if option is None or not name.startswith("config."):
            return ""
        return tk._("{field}: ").format(field=option.get("label") or option["name"])

    def _refuse(self, name: str, messages: Any) -> None:
        if isinstance(messages, Mapping):
            for part, inner in messages.items():
                self._refuse(f"{name}.{part}", inner)
            return
        for message in [messages] if isinstance(messages, str) else messages:
            self.errors.setdefault(name, []).append(str(message))

    def _read(self, options: Sequence[Option], prefix: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for option in options:
            path = prefix + option["name"]
            if option.get("options"):
                value: Any = self._read(option["options"], f"{path}.") or None
            else:
                value = self._value(option, f"config.{path}")
            if value is not None:
                found[option["name"]] = value
        return found

    def _value(self, option: Option, name: str) -> Any:
        text = self.values.get(name, "")
        if option["type"] == "boolean":
            value = bool(text.strip())
            return None if value == bool(option.get("default")) else value
        if not text.strip():
            return None
        try:
            return _read_value(option, text.replace("\r\n", "\n"))
        except ValueError as error:
            self.errors.setdefault(name, []).append(str(error))
            return None


def config_fields(
    options: Sequence[Option],
    values: Mapping[str, str],
    errors: Mapping[str, Sequence[str]],
    secrets: Sequence[str],
    prefix: str = "",
) -> list[Field]:
    """Fields for the options, with what stands in them."""
    fields = []
    for option in options:
        path = prefix + option["name"]
        name = f"config.{path}"
        inner = config_fields(option["options"], values, errors, secrets, f"{path}.") if option.get("options") else []
        used = any(each.used for each in inner) or _used(option, name, path, values, errors, secrets)
        fields.append(
            Field(
                path=path,
                label=option.get("label") or option["name"],
                help=option.get("help") or "",
                type="group" if option.get("options") else control_of(option),
                required=bool(option.get("required")),
                choices=option.get("choices"),
                secret=bool(option.get("secret")),
                is_set=path in secrets,
                value="" if option.get("secret") else values.get(name, ""),
                placeholder=_as_text(option.get("default")) if option["type"] != "boolean" else "",
                errors=errors.get(name, ()),
                fields=inner,
                used=used,
                folded=bool(option.get("rare")) and not used,
            )
        )
    return fields


def _used(
    option: Option,
    name: str,
    path: str,
    values: Mapping[str, str],
    errors: Mapping[str, Sequence[str]],
    secrets: Sequence[str],
) -> bool:
    if name in errors or path in secrets:
        return True
    text = values.get(name, "")
    return bool(text) != bool(option.get("default")) if option["type"] == "boolean" else bool(text)


def control_of(option: Option) -> str:
    """How the option is typed: ``text``, ``long``, ``number``, ``boolean``, ``list``, ``mapping``."""
    types = option.get("types") or [option["type"]]
    if "list" in types:
        return "list"
    if option["type"] == "text" and option["name"] in LONG_TEXTS:
        return "long"
    return "text" if len(types) > 1 else option["type"]


def _read_value(option: Option, text: str) -> Any:
    types = option.get("types") or [option["type"]]
    if "mapping" in types:
        return _read_mapping(text)
    if "list" in types:
        lines = [_number_or_text(line, types) for line in map(str.strip, text.split("\n")) if line]
        return lines[0] if len(lines) == 1 and len(types) > 1 else lines
    if types == ["number"]:
        return _read_number(text)
    return _number_or_text(text.strip(), types)


def _number_or_text(text: str, types: Sequence[str]) -> Any:
    return int(text) if "number" in types and text.isascii() and text.isdigit() else text


def _read_number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(tk._("Write a number, with digits alone")) from error


def _read_mapping(text: str) -> dict[str, Any]:
    try:
        value = read_yaml_text(text)
    except ConfigurationError:
        value = None
    if not isinstance(value, dict):
        raise ValueError(tk._("Write one line for each, as “name: value”"))
    return value


def _shown(options: Sequence[Option], config: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """The stored configuration as the texts of its fields."""
    texts: dict[str, str] = {}
    for option in options:
        value = config.get(option["name"])
        path = prefix + option["name"]
        if option.get("options"):
            texts |= _shown(option["options"], value if isinstance(value, dict) else {}, f"{path}.")
        elif option["type"] == "boolean":
            texts[f"config.{path}"] = "true" if (option.get("default") if value is None else value) else ""
        elif value is not None and not option.get("secret"):
            texts[f"config.{path}"] = _as_text(value)
    return texts


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return plain_yaml(value)
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _leaves(options: Sequence[Option], prefix: str = "") -> list[tuple[str, Option]]:
    found: list[tuple[str, Option]] = []
    for option in options:
        path = prefix + option["name"]
        found += _leaves(option["options"], f"{path}.") if option.get("options") else [(path, option)]
    return found
