"""How much memory a process takes at its peak. Run as a program, it runs a command and tells that of it:

    python memory.py FILE COMMAND…

writes the peak in KiB to FILE and ends as the command did. A process that measures its own child sees itself: Linux
counts what the parent had at the fork. Between the two stands this program, which is small.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


class Memory:
    """How far this process' resident memory rises above what it is now, at its peak."""

    def __init__(self) -> None:
        # 5: the kernel forgets the peak of before
        Path("/proc/self/clear_refs").write_text("5")
        self._idle = self._kibibytes("VmRSS")

    def grown(self) -> float:
        """Mebibytes."""
        return round((self._kibibytes("VmHWM") - self._idle) / 1024, 1)

    @staticmethod
    def _kibibytes(name: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def main(file: str, *command: str) -> int:
    _pid, status, usage = os.wait4(os.posix_spawnp(command[0], command, os.environ), 0)
    Path(file).write_text(str(usage.ru_maxrss))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
