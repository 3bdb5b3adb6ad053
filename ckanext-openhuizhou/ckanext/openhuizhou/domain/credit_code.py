"""Unified social credit codes (统一社会信用代码, GB 32100-2015): the check, and codes made up for demonstration."""

from __future__ import annotations

import re

from stdnum.cn import uscc

#: How the organization part of a made-up code begins.
_DEMO = "DEM0"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_NODE = re.compile(r"\d{3}", re.ASCII)
_REGION = re.compile(r"\d{6}", re.ASCII)


def is_credit_code(code: str) -> bool:
    """Whether the form and the check digit are right; says nothing about whether anybody has the code."""
    return code.isascii() and len(code) == 18 and uscc.is_valid(code)


def is_demo_credit_code(code: str) -> bool:
    """Whether the code was made up by ``demo_credit_code``."""
    return is_credit_code(code) and code[8:].startswith(_DEMO)


def demo_credit_code(region: str, node: str) -> str:
    """A made-up code for a department, always the same for the same department.

    ``region``: six digits of GB/T 2260. ``node``: the department's 项, three digits. The organization part begins
    with ``DEM0``, so that nobody takes it for a real one; both check digits (GB 11714, GB 32100) are right.
    """
    if not _REGION.fullmatch(region) or not _NODE.fullmatch(node):
        raise ValueError(f"{region} {node}")
    body = f"{_DEMO}0{node}"
    code = f"11{region}{body}{_organisation_check_digit(body)}"
    return code + uscc.calc_check_digit(code)


def _organisation_check_digit(body: str) -> str:
    """Check digit of an organization code by GB 11714."""
    total = sum(weight * _ALPHABET.index(letter) for weight, letter in zip(_ORGANISATION_WEIGHTS, body, strict=True))
    return "0123456789X0"[11 - total % 11]
