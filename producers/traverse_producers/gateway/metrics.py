"""Every metric of the gateway, in one list (Prometheus text at `/metrics`)."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """The metrics of one gateway, in a registry of its own."""

    def __init__(self) -> None:
        """All at zero."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "traverse_gateway_requests_total",
            "Answers by route and HTTP status.",
            ["route", "status"],
            registry=self.registry,
        )
        self.events = Counter(
            "traverse_gateway_events_total",
            "Events by what became of them: accepted, duplicate, refused or failed.",
            ["status"],
            registry=self.registry,
        )
        self.reasons = Counter(
            "traverse_gateway_refusals_total",
            "Events that were not accepted, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self.write_seconds = Histogram(
            "traverse_gateway_write_seconds",
            "Time until the log confirmed the events of a request.",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def watch(self, connected: Callable[[], bool]) -> None:
        """Ask this whenever somebody reads."""
        gauge = Gauge(
            "traverse_gateway_kafka_connected",
            "Whether Kafka answered when it was last asked (each second): 1 or 0.",
            registry=self.registry,
        )
        gauge.set_function(lambda: int(connected()))

    def count_answer(self, route: str, status: int) -> None:
        """An answer was begun."""
        self.requests.labels(route, status).inc()

    def text(self) -> bytes:
        """The metrics as Prometheus reads them."""
        return generate_latest(self.registry)
