"""Made-up things that tests of several parts need."""

from __future__ import annotations

from typing import Any


def complete_entry(**changes: Any) -> dict[str, Any]:
    """Everything that the publication of a dataset needs, but for its title and its ``owner_org``.

    ``changes`` are added or take a field's place; None takes it away.
    """
    entry = {
        "notes": "演示数据",
        "category": "211001",
        "theme": "environment",
        "open_type": "unconditional",
        "share_type": "unconditional",
        "share_way": "file",
        "format_class": "spreadsheet",
        "update_cycle": "yearly",
        "items": [{"name": "名称", "column": "name", "data_type": "string"}],
    }
    return {name: value for name, value in {**entry, **changes}.items() if value is not None}
