"""Runs a reader of strangers' files in a process of its own that has little memory and time."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_MEMORY = 1 << 30  # octets of addresses, the interpreter's and the libraries' among them
_CPU = 120  # seconds
_LIMITED = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({_MEMORY}, {_MEMORY}))
resource.setrlimit(resource.RLIMIT_CPU, ({_CPU}, {_CPU}))
file = sys.argv[1]
"""
# Of getrusage, the most includes that of the process that forked.
_MEASURED = """
with open("/proc/self/status") as status:
    print(next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM")))
"""


class Run(NamedTuple):
    """What a process said on its last lines; `peak`: the most memory that it had, in MiB."""

    said: str
    peak: int


def bounded(program: str, file: Path) -> Run:
    """Run a program that finds the path in `file` and prints. Fails when it dies, of memory or
    time among other things."""
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED + program + _MEASURED, str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *said, peak = done.stdout.splitlines()
    return Run("\n".join(said), int(peak))
