"""The one reader of the project's own YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ckanext.openhuizhou.errors import ConfigurationError


def read_yaml(path: Path) -> Any:
    """What stands in a file of UTF-8 YAML; raises ``ConfigurationError`` naming the file and, if known, the place."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError("{file} cannot be read: {reason}", file=path.name, reason=str(error)) from error
