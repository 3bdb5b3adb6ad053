"""What tests of several sources need."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def document(read: Any, web: Any):
    """``document(content)`` gives the records of a document that a web server sends."""

    def document(content: bytes | str, **config: Any) -> list[Any]:
        web.pages["/catalogue"] = content.encode() if isinstance(content, str) else content
        return read("dcat", {"url": web.url + "/catalogue", **config})

    return document
