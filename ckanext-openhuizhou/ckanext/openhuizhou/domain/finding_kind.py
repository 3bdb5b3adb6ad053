"""What there is to say of a kind of finding, as msgids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class FindingKind:
    """``message`` says what is wrong, ``mend`` what to do about it; both are msgids."""

    message: str
    mend: str
    severity: Severity = "error"


def N_(msgid: str) -> str:  # noqa: N802 - gettext's own name, marks a msgid for extraction
    return msgid
