"""Arrow's functions on arrays, which it makes when it is imported: a type checker knows none of them."""

from __future__ import annotations

from typing import Any

import pyarrow.compute

pc: Any = pyarrow.compute
