"""``python -m benchmarks [NAME…]``: runs benchmarks, prints their table, appends it to results/NAME.json.

The exit status is 0 also where a bar is not met: a benchmark tells, it does not judge. It is another where one could
not run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks import data, harvest, up
from benchmarks.results import Result, append, table

#: name -> what measures it
BENCHMARKS: dict[str, Callable[[], list[Result]]] = {"up": up.measure, "harvest": harvest.measure, "data": data.measure}


def main(names: list[str]) -> int:
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        print(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        print(f"bench-{name}: {BENCHMARKS[name].__doc__ or ''}".strip(), flush=True)
        results = BENCHMARKS[name]()
        append(name, results)
        print(table(results), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
