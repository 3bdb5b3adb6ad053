"""What a mapped record must be before it may become an entry: its provider in the directory, the rules of an entry."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from ckan import model

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.entry_rules import Lookups, check_entry
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.reference import Reference
from ckanext.openhuizhou.domain.title import normalise_title, title_key
from ckanext.openhuizhou.harvesters.mapping import MappedRecord
from ckanext.openhuizhou.model import catalogue
from ckanext.openhuizhou.model.department import departments


@dataclass(frozen=True, slots=True)
class Providers:
    """The directory as a source sees it: names to ids, and which of them it may speak for."""

    by_name: Mapping[str, str]
    allowed: Collection[str]
    names: Mapping[str, str]

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
        allowed = {organization_id}
        while True:
            below = {d["id"] for d in found if d["parent"] in {names.get(id_) for id_ in allowed}} - allowed
            if not below:
                return cls(by_name, frozenset(allowed), names)
            allowed |= below

    def find(self, mapped: MappedRecord, organization_id: str) -> tuple[str | None, list[Finding]]:
        """The id of the record's provider, or why there is none."""
        if not mapped.provider_asked:
            return organization_id, []
        if not mapped.provider:
            return None, [Finding("provider-missing", field="owner_org")]
        found = self.by_name.get(normalise_title(mapped.provider))
        if found is None:
            return None, [Finding("provider-unknown", field="owner_org", value=mapped.provider[:80])]
        if found not in self.allowed:
            return None, [Finding("provider-other", field="owner_org", value=mapped.provider[:80])]
        return found, []


@dataclass(slots=True)
class Checks:
    """The checks of one run. ``claimed``: titles of records that are not written yet, by provider."""

    organization_id: str
    approved: bool
    providers: Providers
    reference: Reference
    claimed: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, organization_id: str, approved: bool) -> Checks:
        return cls(organization_id, approved, Providers.of(organization_id), config.reference())

    def entry_of(self, mapped: MappedRecord) -> tuple[dict[str, Any], list[Finding]]:
        """The complete entry, and why it has no provider, if it has none. Asks no database."""
        owner, findings = self.providers.find(mapped, self.organization_id)
        entry = {name: value for name, value in mapped.entry.items() if value is not None}
        if owner is not None:
            entry["owner_org"] = owner
            entry.setdefault("category", self.reference.default_category(self.providers.names.get(owner)))
        return entry, [*mapped.findings, *findings]

    def broken_rules(self, entry: Mapping[str, Any], found: Collection[Finding], dataset_id: str) -> list[Finding]:
        """What the rules of an entry say of it, apart from what was ``found`` already."""
        lookups = Lookups(
            self.reference,
            catalogue.existing_codes,
            lambda provider, title: self._title_taken(provider, title, dataset_id),
        )
        findings = check_entry(entry, "publish" if self.approved else "draft", lookups)
        # a value that could not be mapped is one finding, not a missing field as well
        named = {finding.field for finding in found}
        return [one for one in findings if not (one.kind == "required-missing" and one.field in named)]

    def claim_title(self, entry: Mapping[str, Any], dataset_id: str) -> None:
        """Remember the title of a record that waits to be written."""
        self.claimed[entry["owner_org"], title_key(entry.get("title", ""))] = dataset_id

    def _title_taken(self, provider: str, title: str, dataset_id: str) -> bool:
        claimed = self.claimed.get((provider, title))
        if claimed is not None and claimed != dataset_id:
            return True
        holder = catalogue.title_holder(provider, title)
        return holder is not None and holder != dataset_id


def dataset_exists(dataset_id: str) -> str | None:
    """CKAN's state of a dataset, None when there is none."""
    return model.Session.execute(sa.select(model.Package.state).where(model.Package.id == dataset_id)).scalar()
