"""The terms under which entries are open (``config/licences.yaml``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ckanext.openhuizhou.errors import ConfigurationError
from ckanext.openhuizhou.schemas.yaml_file import read_yaml

#: What CKAN writes into ``od_conformance``; only ``approved`` makes an entry ``isopen``.
CONFORMANCE = ("approved", "not reviewed", "rejected")


@dataclass(frozen=True, slots=True)
class Licence:
    """Terms of use. ``url`` is absolute or begins with ``/`` (a page of the portal)."""

    id: str
    title: Mapping[str, str]
    url: str
    conformance: str

    def ckan(self, site_url: str) -> dict[str, Any]:
        """As CKAN's licence list writes one; the title is Chinese, as everything in the catalogue."""
        return {
            "id": self.id,
            "title": self.title["zh"],
            "title_en": self.title["en"],
            "url": site_url + self.url if self.url.startswith("/") else self.url,
            "od_conformance": self.conformance,
            "status": "active",
            "domain_data": True,
        }


def read_licences(path: Path) -> tuple[Licence, ...]:
    """Licences in the order of the file; raises ``ConfigurationError`` naming the file and the licence."""
    content = read_yaml(path)
    licences = tuple(_licence(values, path.name) for values in (content or {}).get("licences", []))
    ids = [licence.id for licence in licences]
    for id_ in ids:
        if ids.count(id_) > 1:
            raise ConfigurationError("{file}: licence {id} stands there twice", file=path.name, id=id_)
    return licences


def _licence(values: Mapping[str, Any], file: str) -> Licence:
    try:
        title = {"zh": str(values["title"]["zh"]), "en": str(values["title"]["en"])}
        licence = Licence(str(values["id"]), title, str(values["url"]), values["open"])
    except (KeyError, TypeError) as error:
        raise ConfigurationError("{file}: a licence lacks {what}", file=file, what=str(error)) from error
    if licence.conformance not in CONFORMANCE:
        raise ConfigurationError(
            "{file}: licence {id}: open is none of {known}", file=file, id=licence.id, known=", ".join(CONFORMANCE)
        )
    return licence
