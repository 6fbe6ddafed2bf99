"""What an event costs as records become many: one pipeline, window after window.

Events of one window are made and signed before its clock starts, and lie in no other's. Beside the
clock stands the processor time of each process, which other work on the machine changes less.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import psutil

from traverse_infra.bench.figures import Seen
from traverse_infra.bench.home import Home
from traverse_infra.bench.load import Event
from traverse_infra.bench.machine import memory, processor_seconds, steps_of
from traverse_infra.bench.plan import Plan
from traverse_infra.bench.throughput import (
    FIRST,
    OPPORTUNITY_INDICES,
    difference,
    engines_of,
    inbound,
    rate_of,
    rest,
    watch,
)
from traverse_infra.services import Services
from traverse_stream_processors.log import Message

Say = Callable[[str], None]


def growth_figures(home: Home, plan: Plan, events: Iterator[Event], say: Say) -> dict[str, Any]:
    """The figures of each window, and `rate_last_to_first`. Raises InfraError."""
    size = plan.growth_events // plan.growth_windows
    found: list[dict[str, Any]] = []
    with home.services() as services:
        home.write([inbound(event, home.sign) for event in islice(events, FIRST)])
        services.start("work", "work")
        watch(services, lambda: home.searchable(OPPORTUNITY_INDICES), home.all_done)
        for number in range(1, plan.growth_windows + 1):
            messages = [inbound(event, home.sign) for event in islice(events, size)]
            rest(home)
            window = {"events": number * len(messages), **_window(home, services, messages)}
            found.append(window)
            costs = ", ".join(f"{name} {cost:.0f}" for name, cost in window["us_an_event"].items())
            say(f"{window['events']} événements : {window['per_second']:.0f}/s ; en µs : {costs}")
    return {
        "windows": found,
        "rate_last_to_first": found[-1]["per_second"] / found[0]["per_second"],
    }


def _window(home: Home, services: Services, messages: Sequence[Message]) -> dict[str, Any]:
    """Events a second, and what each process took of processor (µs an event) and memory (MiB)."""
    steps = {**engines_of(home), **steps_of(psutil.Process(services.pid("work")))}
    before = processor_seconds(steps)
    start = Seen(time.monotonic(), home.searchable(OPPORTUNITY_INDICES))
    home.write(messages)
    looks = watch(services, lambda: home.searchable(OPPORTUNITY_INDICES), home.all_done)
    used = difference(processor_seconds(steps), before)
    total = looks[-1].items
    seconds = (total - start.items) / rate_of(start, total, looks)
    return {
        "per_second": len(messages) / seconds,
        "writes_an_event": (total - start.items) / len(messages),
        "us_an_event": {name: taken * 1e6 / len(messages) for name, taken in used.items()},
        "rss_mb": {name: each["rss_mb"] for name, each in memory(steps).items()},
    }
