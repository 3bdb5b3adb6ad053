"""Functions for templates; CKAN registers what stands in ``__all__``."""

from . import (
    charts,
    choices,
    data_checks,
    entries,
    entry_form,
    exports,
    formats,
    harvest,
    labels,
    lists,
    loads,
    maps,
    quality,
    site,
    table,
    table_profile,
    workbench,
)
from .charts import *  # noqa: F403
from .choices import *  # noqa: F403
from .data_checks import *  # noqa: F403
from .entries import *  # noqa: F403
from .entry_form import *  # noqa: F403
from .exports import *  # noqa: F403
from .formats import *  # noqa: F403
from .harvest import *  # noqa: F403
from .labels import *  # noqa: F403
from .lists import *  # noqa: F403
from .loads import *  # noqa: F403
from .maps import *  # noqa: F403
from .quality import *  # noqa: F403
from .site import *  # noqa: F403
from .table import *  # noqa: F403
from .table_profile import *  # noqa: F403
from .workbench import *  # noqa: F403

__all__: list[str] = []
__all__ += charts.__all__
__all__ += choices.__all__
__all__ += data_checks.__all__
__all__ += entries.__all__
__all__ += entry_form.__all__
__all__ += exports.__all__
__all__ += formats.__all__
__all__ += harvest.__all__
__all__ += labels.__all__
__all__ += lists.__all__
__all__ += loads.__all__
__all__ += maps.__all__
__all__ += quality.__all__
__all__ += site.__all__
__all__ += table.__all__
__all__ += table_profile.__all__
__all__ += workbench.__all__
