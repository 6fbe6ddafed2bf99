"""A measurement in a process of its own: it gives its figures, and outlives nobody."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from traverse_infra.bench.own_process import NotMeasuredError, measure_apart

ROOT = Path(__file__).parents[3]
PROGRAM = """
import signal
from tests.infra.bench.test_own_process import endless
from traverse_infra.bench.own_process import measure_apart

signal.signal(signal.SIGINT, signal.default_int_handler)
measure_apart(endless)
"""


def endless() -> None:
    """Tells which process it is, and never ends."""
    os.write(1, f"{os.getpid()}\n".encode())
    while True:
        signal.pause()


def test_the_figures_come_from_another_process() -> None:
    assert measure_apart(os.getpid) != os.getpid()
    assert measure_apart(sorted, [3, 1, 2]) == [1, 2, 3]


def test_a_process_that_ends_before_is_told_in_a_sentence() -> None:
    with pytest.raises(NotMeasuredError, match=r"sans rien donner \(code 3\)"):
        measure_apart(os._exit, 3)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_who_measures_ends_what_is_measured(signum: signal.Signals) -> None:
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        process.send_signal(signum)
        _, left = psutil.wait_procs([child], timeout=30)
        for one in left:
            one.kill()
        process.kill()
    assert not left
