"""Aggregates what CKAN registers: per module one import line and one ``__all__`` line (CKAN takes only ``__all__``)."""

from . import target, visibility
from .target import *  # noqa: F403
from .visibility import *  # noqa: F403

__all__: list[str] = []
__all__ += target.__all__
__all__ += visibility.__all__
