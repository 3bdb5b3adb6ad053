"""The city's reference data in one piece: who provides, which fields, which classification."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .classification import Classification, department_category, read_classification
from .departments import Directory, read_departments
from .themes import Themes, read_themes


@dataclass(frozen=True, slots=True)
class Reference:
    """Read once, never changed."""

    directory: Directory
    themes: Themes
    classification: Classification

    def default_category(self, organization: str | None) -> str:
        """Where an entry goes when nobody chose: the provider's own branch, or the city's for any other provider."""
        department = (organization and self.directory.get(organization)) or self.directory.root
        return department_category(department.node)


def read_reference(folder: Path) -> Reference:
    """Read ``departments.yaml``, ``themes.yaml`` and ``classification.yaml`` of a folder."""
    directory = read_departments(folder / "departments.yaml")
    return Reference(
        directory,
        read_themes(folder / "themes.yaml"),
        read_classification(folder / "classification.yaml", directory),
    )
