"""The directory as a source sees it: who provides a record, and whether this source may speak for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.text_rules import shown
from ckanext.openhuizhou.domain.title import normalise_title
from ckanext.openhuizhou.harvesters.mapping import MappedRecord
from ckanext.openhuizhou.model.department import departments


@dataclass(frozen=True, slots=True)
class Provider:
    """``organization_id``: None when there is none. ``foreign``: the department that this source may not speak for."""

    organization_id: str | None
    findings: tuple[Finding, ...] = ()
    foreign: str | None = None


@dataclass(frozen=True, slots=True)
class Providers:
    """Names of departments to ids, and which of them the source may speak for. ``names`` and ``titles`` are by id."""

    by_name: Mapping[str, str]
    allowed: Collection[str]
    names: Mapping[str, str]
    titles: Mapping[str, str]

    @classmethod
    def of(cls, organization_id: str) -> Providers:
        """Read the directory; a source speaks for its own organization and those below it."""
        found = departments()
        by_name: dict[str, str] = {}
        for department in found:
            for name in (department["name"], department["short_name"], department["title"]):
                if name:
                    by_name[normalise_title(name)] = department["id"]
        names = {department["id"]: department["name"] for department in found}
        titles = {department["id"]: department["title"] or department["name"] for department in found}
        allowed = {organization_id}
        while True:
            below = {d["id"] for d in found if d["parent"] in {names.get(id_) for id_ in allowed}} - allowed
            if not below:
                return cls(by_name, frozenset(allowed), names, titles)
            allowed |= below

    def find(self, mapped: MappedRecord, organization_id: str) -> Provider:
        """The record's provider, or why there is none."""
        if not mapped.provider_asked:
            return Provider(organization_id)
        if not mapped.provider:
            return Provider(None, (Finding("provider-missing", field="owner_org"),))
        found = self.by_name.get(normalise_title(mapped.provider))
        if found is None:
            return Provider(None, (Finding("provider-unknown", field="owner_org", value=shown(mapped.provider)),))
        if found not in self.allowed:
            other = Finding("provider-other", field="owner_org", value=shown(mapped.provider))
            return Provider(None, (other,), foreign=found)
        return Provider(found)

    def meaning(self) -> dict[str, Any]:
        """What decides on a record's provider."""
        return {"names": self.by_name, "allowed": sorted(self.allowed), "slugs": self.names}
