"""Resource codes (信息资源代码) of 发改高技〔2017〕1272号 and what is named after them.

A code is the classification code (类 1 digit, 项 2, 目 3, 细目 any number), ``/``, and a sequence number:
``211001/17``. The platform assigns it once; it is never reused and never typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CATEGORY = re.compile(r"[1-3]\d{5,}", re.ASCII)
CODE = re.compile(r"(?P<category>[1-3]\d{5,})/(?P<number>[1-9]\d*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class CatalogueCode:
    """``category`` is a 目 or 细目 of the classification tree, ``number`` counts from 1 within it."""

    category: str
    number: int

    def __post_init__(self) -> None:
        if not CATEGORY.fullmatch(self.category) or self.number < 1:
            raise ValueError(f"{self.category}/{self.number}")

    def __str__(self) -> str:
        return f"{self.category}/{self.number}"

    @property
    def dataset_name(self) -> str:
        """The dataset's name in addresses: the code in lower case with ``/`` written as ``-``."""
        return str(self).lower().replace("/", "-")

    @classmethod
    def parse(cls, text: str) -> CatalogueCode:
        """Read ``211001/17``; ``ValueError`` for anything else."""
        match = CODE.fullmatch(text)
        if match is None:
            raise ValueError(text)
        return cls(match["category"], int(match["number"]))


def application_name(number: int) -> str:
    """The name of an application in addresses: applications are outside the classification tree."""
    return f"app-{number}"
