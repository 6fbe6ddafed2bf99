"""The one place that waits: a deadline, a probe, a pause that grows."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    probe: Callable[[], T | None],
    *,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> T | None:
    """Calls `probe` until it returns something true, at most `timeout` seconds; None then.

    What `probe` raises goes through: that is how a probe says that waiting is useless.
    """
    deadline = clock() + timeout
    delay = 0.05
    while True:
        if found := probe():
            return found
        left = deadline - clock()
        if left <= 0:
            return None
        pause(min(delay, left))
        delay = min(delay * 1.5, 0.5)
