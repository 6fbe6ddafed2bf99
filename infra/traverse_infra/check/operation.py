"""How the view stands, asked of the engines the moment somebody wants to know: Prometheus, or a
person with `traverse status`."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from time import monotonic
from typing import NamedTuple

from elasticsearch import Elasticsearch
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from traverse_infra.errors import InfraError
from traverse_infra.indices import missing_aliases
from traverse_infra.log.reading import Waiting, oldest_waiting, waiting
from traverse_infra.log.topics import opportunities_begun
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.log.engine_access import EngineAccess, engine_access

_LOG = logging.getLogger("traverse.check")

_PATIENCE = 5.0
"""Seconds for Elasticsearch to answer: Prometheus waits ten for all."""

_PLACE = ["step", "topic", "partition"]


def lost_indices(
    bootstrap: str, elasticsearch: str, access: EngineAccess | None = None
) -> list[str]:
    """The aliases without an index though the log has what it should hold; none on new engines.

    `access`: who asks; by the environment when it is None. Raises EngineAwayError, InfraError.
    """
    # First: an index is there before anything is written.
    begun = opportunities_begun(bootstrap, access)
    words = (access or engine_access()).elasticsearch(elasticsearch)
    with Elasticsearch(**words, request_timeout=_PATIENCE, max_retries=0) as client:
        missing = missing_aliases(client)
    return missing if begun else []


class Behind(NamedTuple):
    """A partition where messages wait for a step; `seconds`: how long ago the first of them came,
    None where it could not be read in time."""

    step: str
    topic: str
    partition: int
    messages: int
    seconds: int | None

    def __str__(self) -> str:
        age = "" if self.seconds is None else f", le plus ancien depuis {self.seconds} s"
        return f"{self.step} : {self.messages} en attente dans {self.topic}/{self.partition}{age}"


def behind(bootstrap: str, now: datetime, access: EngineAccess | None = None) -> list[Behind]:
    """The partitions where something waits, with the age of its first message at `now`. `access` as
    above; it must be allowed to read what the steps read. Raises EngineAwayError."""
    found = [one for one in waiting(bootstrap, access) if one.messages]
    times = oldest_waiting(bootstrap, found, access)
    at = now.timestamp()
    return [
        Behind(
            *one[:3],
            one.messages,
            None if time is None else max(0, int(at - time / 1000)),
        )
        for one in found
        for time in [times.get((one.topic, one.partition))]
    ]


class OperationMetrics(Collector):
    """Asks at each reading of the metrics. What cannot be asked is left out, and said in the log:
    an alarm on absence sees it."""

    def __init__(
        self,
        lost: Callable[[], Iterable[str]],
        behind: Callable[[], Iterable[Waiting]],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`lost` gives the aliases without their index, `behind` every partition of every step;
        `clock` gives seconds."""
        self._lost = lost
        self._behind = behind
        self._still = Stillness(clock)

    def collect(self) -> Iterator[Metric]:
        """Prometheus' own call."""
        for ask in (self._indices, self._partitions):
            try:
                yield from ask()
            except InfraError as error:
                _LOG.warning("L'état du service n'est pas connu en entier : %s", error)

    def _indices(self) -> list[Metric]:
        lost = set(self._lost())
        metric = GaugeMetricFamily(
            "traverse_index_lost",
            "1 where an alias has no index though the log was written: run traverse reindex.",
            labels=["alias"],
        )
        for alias in ALIASES.values():
            metric.add_metric([alias], float(alias in lost))
        return [metric]

    def _partitions(self) -> list[Metric]:
        count = GaugeMetricFamily(
            "traverse_waiting_messages",
            "Messages of a partition that its step has not acknowledged yet.",
            labels=_PLACE,
        )
        still = GaugeMetricFamily(
            "traverse_waiting_seconds",
            "For how long messages have waited in a partition without its step moving there; 0 "
            "where none waits. Counted from the first reading of these metrics that saw it.",
            labels=_PLACE,
        )
        found = list(self._behind())
        seconds = self._still.look(found)
        for one in found:
            place = [one.group, one.topic, str(one.partition)]
            count.add_metric(place, one.messages)
            still.add_metric(place, seconds[one[:3]])
        return [count, still]


class Stillness:
    """Since when a step has not moved in a partition where something waits: told apart from one
    that has nothing to read, and from one that is busy."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._since: dict[tuple[str, str, int], tuple[int, float]] = {}

    def look(self, behind: Iterable[Waiting]) -> Mapping[tuple[str, str, int], float]:
        """Seconds by group, topic and partition; 0 where nothing waits or it has just moved."""
        now = self._clock()
        before, self._since = self._since, {}
        found = {}
        for one in behind:
            place = one[:3]
            start, since = before.get(place, (one.start, now))
            if start != one.start:
                since = now
            found[place] = now - since if one.messages else 0.0
            if one.messages:
                self._since[place] = (one.start, since)
        return found


def operation_metrics(bootstrap: str, elasticsearch: str) -> OperationMetrics:
    """Of these engines, as who the environment says."""
    return OperationMetrics(
        lambda: lost_indices(bootstrap, elasticsearch), lambda: waiting(bootstrap)
    )
