"""Every metric of the service, in one list (Prometheus text at `/metrics`).

None is labelled by a person, a query or an institution: reads are counted in aggregate.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """The metrics of one service, in a registry of its own."""

    def __init__(self) -> None:
        """All at zero."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "traverse_search_requests_total",
            "Answers by route and HTTP status.",
            ["route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "traverse_search_seconds",
            "Time of a search, from its parameters to its answer.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.engine_seconds = Histogram(
            "traverse_search_engine_seconds",
            "Time that Elasticsearch itself took for a search (its `took`).",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.empty = Counter(
            "traverse_search_empty_total",
            "Searches that found nothing.",
            registry=self.registry,
        )

        self.streams = Gauge(
            "traverse_search_streams",
            "Streams that are open.",
            registry=self.registry,
        )
        self.streams_dropped = Counter(
            "traverse_search_streams_dropped_total",
            "Streams dropped because their reader was too slow.",
            registry=self.registry,
        )

    def count_answer(self, route: str, status: int) -> None:
        """An answer was begun."""
        self.requests.labels(route, status).inc()

    def text(self) -> bytes:
        """The metrics as Prometheus reads them."""
        return generate_latest(self.registry)
