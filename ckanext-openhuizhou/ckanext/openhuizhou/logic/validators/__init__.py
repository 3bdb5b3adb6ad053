"""Aggregates what CKAN registers: per module one import line and one ``__all__`` line (CKAN takes only ``__all__``)."""

from . import entry, fields
from .entry import *  # noqa: F403
from .fields import *  # noqa: F403

__all__: list[str] = []
__all__ += entry.__all__
__all__ += fields.__all__
