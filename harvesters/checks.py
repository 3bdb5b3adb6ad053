"""What a mapped record must be before it may become an entry: its provider in the directory, the rules of an entry.

The database is asked once for a whole batch (``Checks.look_up``), not for each record.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ckanext.openhuizhou import config
from ckanext.openhuizhou.domain.catalogue_code import CODE
from ckanext.openhuizhou.domain.entry_rules import Lookups, check_entry
from ckanext.openhuizhou.domain.findings import Finding
from ckanext.openhuizhou.domain.reference import Reference
from ckanext.openhuizhou.domain.text_rules import is_empty, shown
from ckanext.openhuizhou.domain.title import title_key
from ckanext.openhuizhou.harvesters import conflicts
from ckanext.openhuizhou.harvesters.compare import digest
from ckanext.openhuizhou.harvesters.conflicts import Claimant, Holder
from ckanext.openhuizhou.harvesters.links import checked_links
from ckanext.openhuizhou.harvesters.mapping import MappedRecord
from ckanext.openhuizhou.harvesters.providers import Providers
from ckanext.openhuizhou.harvesters.records import Link, SourceRecord
from ckanext.openhuizhou.model import catalogue
from ckanext.openhuizhou.schemas.code_lists import code_lists

MOST_TAGS: Final = 200
#: What separates tags in one text (``openhuizhou_tags``), and what a tag of CKAN may be.
_SEPARATORS: Final = re.compile("[,，、；;]")
_TAG: Final = re.compile(r"[\w \-.]{2,100}")

#: Provider and normalised title, by which a resource is known whoever brings it.
Title = tuple[str, str]


@dataclass(slots=True)
class Candidate:
    """A record that was mapped and waits to be judged. ``foreign``: provider and title when the provider is one that
    this source may not speak for."""

    key: str
    entry: dict[str, Any]
    findings: list[Finding]
    links: tuple[Link, ...]
    title: Title | None = None
    foreign: Title | None = None

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == "error"]


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows of a batch."""

    holders: Mapping[Title, Holder] = field(default_factory=dict)
    entries: Mapping[str, Holder] = field(default_factory=dict)
    codes: Collection[str] = ()
    states: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Checks:
    """The checks of one run. ``claimed``: titles of records that are not written yet, and whose they are."""

    organization_id: str
    claimant: Claimant
    providers: Providers
    reference: Reference
    most_links: int
    claimed: dict[Title, str] = field(default_factory=dict)
    known: Known = Known()

    @classmethod
    def of(cls, organization_id: str, approved: bool, source_id: str | None = None, priority: int = 100) -> Checks:
        """``source_id`` is None for a source that is not stored."""
        claimant = Claimant(source_id, priority, approved)
        return cls(organization_id, claimant, Providers.of(organization_id), config.reference(), config.max_links())

    def meaning(self) -> str:
        """Digest of what a record is checked against; when it changes, every record is looked at again."""
        reference = self.reference
        return digest(
            {
                "claimant": [self.claimant.approved, self.claimant.priority],
                "providers": self.providers.meaning(),
                "themes": [theme.key for theme in reference.themes],
                "regions": sorted(reference.directory.regions),
                "departments": [[department.slug, department.node] for department in reference.directory],
                "categories": [node.code for node in reference.classification if node.assignable],
                "lists": {name: {code.key: code.extra for code in codes} for name, codes in code_lists().items()},
                "most_links": self.most_links,
            }
        )

    def candidate(self, record: SourceRecord, mapped: MappedRecord) -> Candidate:
        """The complete entry, and what is wrong with it as far as no database is asked."""
        entry = {name: value for name, value in mapped.entry.items() if value is not None}
        links, found = checked_links(record.links, self.most_links)
        provider = self.providers.find(mapped, self.organization_id)
        candidate = Candidate(record.key, entry, [*mapped.findings, *provider.findings, *found, *_tags(entry)], links)
        key = title_key(str(entry.get("title") or ""))
        owner = provider.organization_id
        if owner is not None:
            entry["owner_org"] = owner
            entry.setdefault("category", self.reference.default_category(self.providers.names.get(owner)))
            candidate.title = (owner, key) if key else None
        elif provider.foreign is not None:
            candidate.foreign = (provider.foreign, key) if key else None
        return candidate

    def look_up(self, candidates: Collection[Candidate], dataset_ids: Iterable[str]) -> None:
        """Ask the database what judging these candidates needs. ``dataset_ids``: of the entries that they are or may
        become."""
        titles = {title for one in candidates for title in (one.title, one.foreign) if title is not None}
        by_title = catalogue.title_holders(titles)
        ids = {*by_title.values(), *dataset_ids}
        entries = conflicts.holders(ids)
        codes = {str(code) for one in candidates for code in _listed(one.entry.get("related_codes"))}
        codes = {code for code in codes if CODE.fullmatch(code)}
        self.known = Known(
            holders={title: entries.get(id_) or Holder(id_) for title, id_ in by_title.items()},
            entries=entries,
            codes=catalogue.existing_codes(codes),
            states=catalogue.package_states(ids),
        )

    def conflict(self, candidate: Candidate, holder: Holder) -> Finding:
        """Why ``holder`` keeps the entry that the candidate asks for."""
        provider = (candidate.title or candidate.foreign or ("", ""))[0]
        title = str(candidate.entry.get("title") or "")
        return conflicts.conflict(title, holder, self.providers.titles.get(provider, provider))

    def broken_rules(self, candidate: Candidate, dataset_id: str) -> list[Finding]:
        """What the rules of an entry say of it, apart from what was found already."""
        lookups = Lookups(
            self.reference,
            lambda codes: [code for code in codes if code in self.known.codes],
            lambda provider, title: self._title_taken((provider, title), candidate.key, dataset_id),
        )
        findings = check_entry(candidate.entry, "publish" if self.claimant.approved else "draft", lookups)
        # a value that could not be mapped is one finding, not a missing field as well
        named = {finding.field for finding in candidate.findings}
        return [one for one in findings if not (one.kind == "required-missing" and one.field in named)]

    def claim_title(self, candidate: Candidate) -> None:
        """Remember the title of a record that waits to be written."""
        if candidate.title is not None:
            self.claimed[candidate.title] = candidate.key

    def _title_taken(self, title: Title, key: str, dataset_id: str) -> bool:
        if self.claimed.get(title, key) != key:
            return True
        holder = self.known.holders.get(title)
        return holder is not None and holder.dataset_id != dataset_id


def _listed(value: Any) -> Collection[Any]:
    if is_empty(value):
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def _tags(entry: dict[str, Any]) -> list[Finding]:
    """Tags that CKAN cannot hold are left out: a keyword is no reason to refuse a data set."""
    text = entry.get("tag_string")
    if not isinstance(text, str):
        return []
    tags = [tag for tag in map(str.strip, _SEPARATORS.split(text)) if tag]
    if len(tags) > MOST_TAGS:
        del entry["tag_string"]
        return [Finding("tags-too-many", field="tag_string", params={"count": len(tags), "most": MOST_TAGS})]
    refused = [tag for tag in tags if not _TAG.fullmatch(tag)]
    if not refused:
        return []
    entry["tag_string"] = ",".join(tag for tag in tags if tag not in refused)
    return [Finding("tags-refused", field="tag_string", value=shown(refused[0]), params={"count": len(refused)})]
