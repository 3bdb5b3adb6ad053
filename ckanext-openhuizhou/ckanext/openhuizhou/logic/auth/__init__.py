"""Aggregates what CKAN registers: per module one import line and one ``__all__`` line (CKAN takes only ``__all__``)."""

from . import (
    catalogue_code,
    data_check,
    department,
    entry,
    harvest_mapping,
    harvest_record,
    harvest_run,
    harvest_source,
    load,
    quality,
    role,
    table_description,
    table_version,
    target,
    theme,
    visibility,
)
from .catalogue_code import *  # noqa: F403
from .data_check import *  # noqa: F403
from .department import *  # noqa: F403
from .entry import *  # noqa: F403
from .harvest_mapping import *  # noqa: F403
from .harvest_record import *  # noqa: F403
from .harvest_run import *  # noqa: F403
from .harvest_source import *  # noqa: F403
from .load import *  # noqa: F403
from .quality import *  # noqa: F403
from .role import *  # noqa: F403
from .table_description import *  # noqa: F403
from .table_version import *  # noqa: F403
from .target import *  # noqa: F403
from .theme import *  # noqa: F403
from .visibility import *  # noqa: F403

__all__: list[str] = []
__all__ += catalogue_code.__all__
__all__ += data_check.__all__
__all__ += department.__all__
__all__ += entry.__all__
__all__ += harvest_mapping.__all__
__all__ += harvest_record.__all__
__all__ += harvest_run.__all__
__all__ += harvest_source.__all__
__all__ += load.__all__
__all__ += quality.__all__
__all__ += role.__all__
__all__ += table_description.__all__
__all__ += table_version.__all__
__all__ += target.__all__
__all__ += theme.__all__
__all__ += visibility.__all__
