"""Publishes rows: sends what is ready, takes down what is refused, and waits for the rest."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any

from traverse_producers.errors import (
    BrokerAwayError,
    EventTooLargeError,
    GatewayRefusedError,
    InvalidEventError,
    UndeliveredError,
)
from traverse_producers.event_builder import octets_of
from traverse_producers.files.report import Report
from traverse_producers.files.rows import Ready, Refused, Row
from traverse_producers.sender import Sender
from traverse_producers.transports.contract import Delivery

Progress = Callable[[], None]
Confirmed = Callable[[Ready], None]
_TOLD = 20  # problems of one event: a list of a thousand wrong codes makes its point sooner


def publish_rows(
    rows: Iterable[Row],
    sender: Sender,
    progress: Progress = lambda: None,
    confirmed: Confirmed = lambda _: None,
) -> Report:
    """Send every row that is an event, and wait until each is settled; `progress` is called once
    a row, `confirmed` (from another thread) with each row whose event is durable. When Kafka goes
    away the rest is left unread, and the report says so."""
    report = Report()
    deliveries = _Deliveries(confirmed)
    for row in rows:
        if isinstance(row, Ready):
            _send(row, sender, report, deliveries)
        elif isinstance(row, Refused):
            report.refuse(row)
        else:
            report.leave_out(row)
        progress()
        if deliveries.away is not None:
            break
    try:
        sender.flush()
    except UndeliveredError as error:
        # Each refusal of the broker is told by itself; what it never answered is told in one.
        if deliveries.away is not None or deliveries.settled < report.sent:
            report.interrupted = f"{deliveries.away or ''} {error}".strip()
    report.delivered = deliveries.delivered
    for problem in deliveries.refused:
        report.refuse(problem)
    return report


def publish_events(
    events: Iterable[dict[str, Any]],
    sender: Sender,
    progress: Progress = lambda: None,
    *,
    name: str = "événements",
) -> Report:
    """Send ready CloudEvents (dicts); the report's lines are their places, from 1."""
    return publish_rows(_rows_of(events, name), sender, progress)


def _rows_of(events: Iterable[dict[str, Any]], name: str) -> Iterator[Row]:
    for line, event in enumerate(events, start=1):
        yield ready(name, line, event)


def ready(name: str, line: int | str, event: dict[str, Any]) -> Ready | Refused:
    """The row of an event that is still a dict."""
    subject = event.get("subject")
    reference = subject if isinstance(subject, str) else None
    try:
        return Ready(name, line, reference, octets_of(event))
    except InvalidEventError as error:
        return Refused(name, line, reference, "", str(error))


def _send(row: Ready, sender: Sender, report: Report, deliveries: "_Deliveries") -> None:
    where = Refused(row.file, row.line, row.reference, "", "")
    try:
        future = sender.send(row.octets)
    except InvalidEventError as error:
        for pointer, sentence in error.problems[:_TOLD]:
            report.refuse(where._replace(pointer=pointer, sentence=sentence))
    except EventTooLargeError as error:
        report.refuse(where._replace(sentence=str(error)))
    else:
        report.sent += 1
        future.add_done_callback(lambda done: deliveries.settle(row, where, done))


class _Deliveries:
    """What the transport's thread tells."""

    def __init__(self, confirmed: Confirmed) -> None:
        self._lock = threading.Lock()
        self._confirmed = confirmed
        self.delivered = 0
        self.settled = 0
        self.refused: list[Refused] = []
        self.away: BrokerAwayError | GatewayRefusedError | None = None

    def settle(self, row: Ready, where: Refused, future: Future[Delivery]) -> None:
        error = future.exception()
        with self._lock:
            self.settled += 1
            if error is None:
                self.delivered += 1
                self._confirmed(row)
            elif isinstance(error, BrokerAwayError | GatewayRefusedError):
                self.away = error
            else:
                self.refused.append(where._replace(sentence=str(error)))
