"""Kind ``ckan``: the catalogue of another CKAN portal (2.8 to 2.12), with its tables when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from ckanext.openhuizhou.domain.findings import N_, Finding
from ckanext.openhuizhou.errors import SourceDenied, SourceMalformed
from ckanext.openhuizhou.harvesters.ckan_client import Portal, quoted
from ckanext.openhuizhou.harvesters.compare import digest
from ckanext.openhuizhou.harvesters.kinds import TOKEN_OPTIONS, Option, Reading, SourceKind, authorized, source_kind
from ckanext.openhuizhou.harvesters.records import Link, SourceRecord
from ckanext.openhuizhou.transport.http import shown

#: What changes without the entry's doing, or is the portal's own affair.
_NOT_PAYLOAD: Final = frozenset({"tracking_summary", "num_resources", "num_tags", "relationships_as_object"})


@source_kind
class CkanPortal(SourceKind):
    """Every public dataset is a record; its resources are links, the first table of the DataStore its rows."""

    name = "ckan"
    title = N_("Another CKAN portal")
    description = N_("The catalogue of a county or of another city, with its tables when asked for")
    options = (
        Option("url", required=True, label=N_("Address of the portal"), help=N_("As in https://data.example.gov.cn")),
        TOKEN_OPTIONS[0],
        Option(
            "key", default="id", choices=("id", "name"), label=N_("Key"), help=N_("id stays when a dataset is renamed")
        ),
        Option("query", label=N_("Search words"), help=N_("Only datasets that a search for these words finds")),
        Option("organizations", (list,), label=N_("Organizations"), help=N_("Names; empty for all")),
        Option("groups", (list,), label=N_("Groups"), help=N_("Names; empty for all")),
        Option(
            "dataset_types",
            (list,),
            default=("dataset",),
            label=N_("Types of datasets"),
            help=N_("CKAN's own type is dataset; extensions add others"),
            rare=True,
        ),
        Option(
            "tables",
            (bool,),
            default=False,
            label=N_("Read tables"),
            help=N_("The first resource of each dataset that is a table of the DataStore is published as a table here"),
        ),
        Option(
            "page_size",
            (int,),
            default=200,
            label=N_("Datasets per request"),
            help=N_("Fewer when the portal answers slowly or its datasets are large"),
            rare=True,
        ),
    )

    def __init__(self, config: Mapping[str, Any], reading: Reading) -> None:
        super().__init__(config, reading)
        token = {**config, "token_header": "Authorization", "token_prefix": ""}
        self._portal = Portal(authorized(reading.client, token, Accept="application/json"), config["url"])
        filters = [_one_of("dataset_type", config["dataset_types"])]
        filters += [_one_of("organization", config["organizations"]), _one_of("groups", config["groups"])]
        self._search = {"query": config["query"], "filters": [one for one in filters if one]}

    def open(self) -> bool:
        self._first = self._portal.packages_after(None, self._search, self.config["page_size"])
        self.reading.total = self._first[1]
        return True

    def records(self) -> Iterator[SourceRecord]:
        for package in self._packages():
            yield self._record(package)

    def close(self) -> None:
        self._portal.close()

    def _packages(self) -> Iterator[dict[str, Any]]:
        """Every package once. That none is missing is told by each answer's count of what is left."""
        (packages, left), last = self._first, None
        while True:
            for package in packages:
                key = str(package.get("id") or "")
                if last is not None and key <= last:
                    raise SourceMalformed("{url} sends the same page again", url=shown(self._portal.url))
                last = key
                yield package
            if len(packages) >= left:
                return
            if not packages:
                raise SourceMalformed(
                    "{url} sent {count} of {total} records", url=shown(self._portal.url), count=0, total=left
                )
            packages, left = self._portal.packages_after(last, self._search, self.config["page_size"])

    def _record(self, package: Mapping[str, Any]) -> SourceRecord:
        key = str(package.get(self.config["key"]) or "")
        resources = [one for one in package.get("resources") or () if isinstance(one, dict)]
        payload, modified = _payload(package), _utc(package.get("metadata_modified"))
        table = next((one for one in resources if self.config["tables"] and one.get("datastore_active")), None)
        links = tuple(_link(one) for one in resources if one is not table and one.get("url"))
        if table is None:
            return SourceRecord(key=key, modified=modified, payload={**payload, "columns": []}, links=links)
        table_id = str(table.get("id") or "")
        try:
            columns, count = self._portal.table(table_id)
        except (SourceMalformed, SourceDenied):
            # one table that cannot be read is no reason to give up the others
            finding = Finding("table-missing", value=str(table.get("name") or table_id)[:80])
            return SourceRecord(key=key, modified=modified, payload=payload, findings=(finding,))
        # rows that are added or removed change nothing but their number; the rest changes the package
        version = [package.get("metadata_modified"), table_id, table.get("last_modified"), table.get("hash"), count]
        return SourceRecord(
            key=key,
            modified=_utc(table.get("last_modified")) or modified,
            payload={**payload, "columns": columns},
            data_digest=digest([*version, columns]),
            data_rule="version",
            rows=partial(self._portal.rows, table_id),
            links=links,
        )


def _one_of(field: str, values: Sequence[Any] | None) -> str:
    """A filter of Solr's; empty when nothing is asked for."""
    return f"{field}:({' OR '.join(quoted(str(value)) for value in values)})" if values else ""


def _payload(package: Mapping[str, Any]) -> dict[str, Any]:
    """The package, its extras as ``extras.<key>``, tags and groups as lists of names."""
    payload = {name: value for name, value in package.items() if name not in _NOT_PAYLOAD}
    extras = payload.pop("extras", None) or []
    payload["tags"] = [_name(tag) for tag in package.get("tags") or ()]
    payload["groups"] = [_name(group) for group in package.get("groups") or ()]
    payload["resources"] = [
        {name: value for name, value in one.items() if name not in _NOT_PAYLOAD}
        for one in package.get("resources") or ()
        if isinstance(one, dict)
    ]
    for extra in extras if isinstance(extras, list) else []:
        if isinstance(extra, dict) and extra.get("key") and extra.get("state", "active") == "active":
            payload[f"extras.{extra['key']}"] = extra.get("value")
    return payload


def _name(member: Any) -> str:
    return str(member.get("name") or member.get("display_name") or "") if isinstance(member, dict) else str(member)


def _utc(moment: Any) -> str | None:
    """CKAN's times are UTC and do not say so."""
    if not moment:
        return None
    text = str(moment)
    return text if text.endswith("Z") or "+" in text else f"{text}+00:00"


def _link(resource: Mapping[str, Any]) -> Link:
    texts = {name: str(resource.get(name) or "") for name in ("name", "format", "description", "mimetype")}
    size = str(resource.get("size") or "")
    modified = _utc(resource.get("last_modified") or resource.get("created"))
    return Link(str(resource["url"]), **texts, size=int(size) if size.isdigit() else None, modified=modified)
