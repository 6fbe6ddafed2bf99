"""Counts every answer by route and status, at the border of the application."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from traverse_search_api.metrics import Metrics


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
