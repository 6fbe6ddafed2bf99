"""Every metric of the gateway, in one list (Prometheus text at `/metrics`)."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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

    def text(self) -> bytes:
        """The metrics as Prometheus reads them."""
        return generate_latest(self.registry)


class CountAnswers:
    """A plain ASGI middleware: it looks at the start of the answer and buffers nothing."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Around `app`, into `metrics`."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The router has written the route by now; an unknown address has none.
                path = getattr(scope.get("route"), "path", "other")
                self._metrics.requests.labels(path, message["status"]).inc()
            await send(message)

        await self._app(scope, receive, counted)
