"""CKAN's list of licences becomes the city's own (``config/licences.yaml``)."""

from __future__ import annotations

from collections.abc import Sequence

from ckan.model import Package
from ckan.model.license import License

from ckanext.openhuizhou.domain.licences import Licence


def offer(licences: Sequence[Licence], site_url: str) -> None:
    """From now on ``license_list``, ``license_title`` and ``license_url`` know these and no others.

    CKAN can read a list from a file itself (``licenses_group_url``), but there the address of a page of the portal
    would have to be written out.
    """
    Package.get_license_register().licenses = [License(licence.ckan(site_url)) for licence in licences]
