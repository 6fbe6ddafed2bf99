"""What a run of the benchmark measures, and how much of it."""

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """A part that can be measured alone."""

    THROUGHPUT = "throughput"
    LATENCY = "latency"
    SEARCH = "search"
    GATEWAY = "gateway"
    STREAM = "stream"
    REINDEX = "reindex"
    GROWTH = "growth"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. Latency, search and streams always have the documents of throughput
    before them: without that part, of one short turn."""

    events: int = 100_000
    turns: int = 3
    paces: tuple[int, ...] = (50, 200)
    seconds: float = 30
    warm_seconds: float = 5
    warm_events: int = 15_000
    search_rounds: int = 20
    gateway_events: int = 10_000
    growth_events: int = 1_000_000
    growth_windows: int = 10
    streams: int = 2000
    stream_pace: int = 50
    stream_warm: float = 30
    peers: bool = False
    parts: tuple[Part, ...] = tuple(Part)
