"""What a run would do, without doing it: the dry run's place of the ``Writer``, and changes that a person can read.

The entry that CKAN would be given is validated as CKAN would, with a context that takes no number, and compared field
by field with the entry that is there. Only the run's own rows are written.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ckan.lib.plugins as lib_plugins
import ckan.plugins.toolkit as tk
import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou.domain.entry_state import DRY_RUN
from ckanext.openhuizhou.harvesters import stored as records
from ckanext.openhuizhou.harvesters import sweep
from ckanext.openhuizhou.harvesters.batches import Batches
from ckanext.openhuizhou.harvesters.lease import Lease
from ckanext.openhuizhou.harvesters.prepared import Prepared, unexpected
from ckanext.openhuizhou.harvesters.writer import entry_data, existing_entry, validation_findings, write_context
from ckanext.openhuizhou.model.harvest import Difference

#: What no reader of differences asks for: made by the platform, or shown under another name.
_NOT_COMPARED: Final = frozenset(
    {"id", "name", "type", "state", "private", "resources", "tags", "num_tags", "num_resources", "metadata_modified",
     "metadata_created", "organization", "creator_user_id", "isopen", "license_title", "license_url", "groups",
     "relationships_as_object", "relationships_as_subject", "extras"}
)  # fmt: skip
#: Longest text that is kept of a value.
_LONGEST: Final = 2000
_WITHDRAWN: Final = [{"field": "entry_state", "before": "published", "after": "withdrawn"}]

Change = dict[str, Any]
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Trial:
    """Takes the batches of a dry run as ``Writer`` takes those of others, and keeps the run's counters."""

    lease: Lease
    approved: bool

    def write(self, batch: Sequence[Prepared]) -> None:
        """Note what would become of these records, in one transaction."""
        run_id = self.lease.run_id
        rows = [
            _difference(run_id, prepared, outcome(prepared, approved=self.approved))
            for prepared in batch
            if _told(prepared)
        ]
        for prepared in batch:
            self.lease.counters[prepared.result] += 1
            self.lease.count_rule(prepared.rule)
        self.lease.settled(len(batch))
        findings = [records.finding_values(run_id, f, p.key, p.title) for p in batch for f in p.findings]
        self._commit(rows, findings)

    def withdraw(self, batches: Batches) -> int:
        """Note the entries that the source has no more; how many there are."""
        count = 0
        for page in sweep.live_pages(self.lease.source_id):
            self.lease.beat_when_due()
            gone = [record for record in page if not batches.met(record.key)]
            rows = [
                {
                    "run_id": self.lease.run_id,
                    "record": record.key,
                    "title": record.title,
                    "dataset_id": record.dataset_id,
                    "action": "withdrawn",
                    "changes": _WITHDRAWN,
                }
                for record in gone
            ]
            count += len(gone)
            self.lease.counters["withdrawn"] += len(gone)
            self._commit(rows, [])
        return count

    def _commit(self, rows: list[dict[str, Any]], findings: list[dict[str, Any]]) -> None:
        model.Session.rollback()  # whatever validation did to the session
        try:
            if rows:
                model.Session.execute(sa.insert(Difference), rows)
            records.add_findings(findings)
            self.lease.renew()
            model.Session.commit()
        except BaseException:
            model.Session.rollback()
            raise


def outcome(prepared: Prepared, *, approved: bool) -> list[Change]:
    """What would change in the catalogue. A record that CKAN's validation would refuse becomes a refused one.

    Validation may leave something in the session, which must be rolled back.
    """
    if prepared.result not in ("added", "changed"):
        return []
    try:
        existing = existing_entry(prepared.dataset_id) if prepared.result == "changed" else None
        data = entry_data(prepared, existing, approved=approved)
        errors = _validation_errors(data, existing, approved=approved)
    except Exception as error:
        log.exception("Record %s failed", prepared.key)
        prepared.result, prepared.findings = "failed", (unexpected(error),)
        return []
    if errors:
        prepared.refuse(*validation_findings(tk.ValidationError(errors)))
        return []
    return changes_of(existing or {}, data)


def changes_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Field by field what differs: ``{"field", "before", "after"}`` in the order of the entry; None for nothing.

    Values are texts, or lists of texts. A field that ``after`` does not have stays as it was. Items are compared by
    column: ``field`` is ``items.<column>`` where one was added or removed (the value is the item), and
    ``items.<column>.<part>`` where a part of it changed.
    """
    changes: list[Change] = []
    for name, value in after.items():
        if name in _NOT_COMPARED or name == "items":
            continue
        old = _tags_of(before) if name == "tag_string" else before.get(name)
        old_value, new_value = _plain(old), _plain(_sorted_tags(value) if name == "tag_string" else value)
        if old_value != new_value:
            changes.append({"field": name, "before": old_value, "after": new_value})
    if "items" in after:
        changes += item_changes(before.get("items") or (), after["items"] or ())
    if "resources" in after:
        old_value, new_value = (_plain(_links_of(entry)) for entry in (before, after))
        if old_value != new_value:
            changes.append({"field": "resources", "before": old_value, "after": new_value})
    return changes


def item_changes(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> list[Change]:
    """The columns that came, went, or are described in another way."""
    old, new = ({str(item.get("column")): item for item in items} for items in (before, after))
    changes: list[Change] = []
    for column in [*old, *(column for column in new if column not in old)]:
        if column not in new:
            changes.append({"field": f"items.{column}", "before": _item(old[column]), "after": None})
        elif column not in old:
            changes.append({"field": f"items.{column}", "before": None, "after": _item(new[column])})
        else:
            changes += _part_changes(column, old[column], new[column])
    return changes


def _part_changes(column: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    parts = list(dict.fromkeys([*before, *after]))
    values = [(part, _plain(before.get(part)), _plain(after.get(part))) for part in parts]
    return [{"field": f"items.{column}.{part}", "before": b, "after": a} for part, b, a in values if b != a]


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {part: text for part, value in item.items() if (text := _plain(value)) is not None}


def _plain(value: Any) -> Any:
    """A value as text or a list of texts; what is empty is None, whichever way it is written."""
    if value is None or value in ("", [], (), {}, False):
        return None
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, bool):
        return "true"
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)[:_LONGEST]


def _links_of(entry: Mapping[str, Any]) -> list[str]:
    """Name and address of what lies elsewhere; a table of our own is told of by its rows."""
    links = [r for r in entry.get("resources") or () if r.get("url_type") != "upload"]
    return sorted(f"{link.get('name') or ''} {link.get('url') or ''}".strip() for link in links)


def _tags_of(entry: Mapping[str, Any]) -> str:
    return ",".join(sorted(tag["name"] for tag in entry.get("tags") or ()))


def _sorted_tags(value: Any) -> str:
    return ",".join(sorted({tag.strip() for tag in str(value or "").split(",")} - {""}))


def _told(prepared: Prepared) -> bool:
    """Unchanged records are counted only; failed ones are findings."""
    return prepared.result in ("added", "changed", "refused")


def _difference(run_id: str, prepared: Prepared, changes: list[Change]) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "record": prepared.key,
        "title": prepared.title,
        "dataset_id": prepared.dataset_id,
        "action": prepared.result,
        "changes": changes,
    }


def _validation_errors(data: dict[str, Any], existing: Mapping[str, Any] | None, *, approved: bool) -> dict[str, Any]:
    """What CKAN's validation says of the entry, by field."""
    context = write_context(approved=approved)
    values: dict[str, Any] = context  # pyright: ignore[reportAssignmentType] - a key of our own
    values |= {DRY_RUN: True, "model": model, "session": model.Session}
    plugin = lib_plugins.lookup_package_plugin("dataset")
    if existing is None:
        schema, action = plugin.create_package_schema(), "package_create"
    else:
        schema, action = plugin.update_package_schema(), "package_update"
        values["package"] = model.Package.get(str(existing["id"]))
    with model.Session.no_autoflush:
        _data, errors = lib_plugins.plugin_validate(plugin, context, dict(data), schema, action)
    return errors
