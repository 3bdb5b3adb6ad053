"""Made-up resident identity numbers (GB 11643) that no person can have: their region code was never assigned."""

from __future__ import annotations

from datetime import date

#: 广东's prefix with a city and county that do not exist, so that a rule for personal data still finds the number.
REGION = "449999"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def resident_id(born: date, order: int) -> str:
    """18 characters: region, birth date, sequence 001-999, check digit."""
    head = f"{REGION}{born:%Y%m%d}{order % 999 + 1:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(head, _WEIGHTS, strict=True))
    return head + _CHECKS[total % 11]
