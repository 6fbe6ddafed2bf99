"""The check in the background of `traverse work`: now and then, slowly, told as metrics."""

import logging
import threading
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from traverse_infra.check.compare import Report
from traverse_infra.errors import InfraError
from traverse_schemas.system_faults import fault

_LOG = logging.getLogger("traverse.check")


class CheckMetrics:
    """Every metric of the check, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.differing = Gauge(
            "traverse_check_differing_documents",
            "Documents of an institution that the index has not as the log says, at the last "
            "check. A stub counts for the institution named in French as such.",
            ["institution"],
            registry=self.registry,
        )
        self.documents = Gauge(
            "traverse_check_documents",
            "Documents that the log says there are, stubs excepted, at the last check.",
            registry=self.registry,
        )
        self.ended = Gauge(
            "traverse_check_last_end_timestamp_seconds",
            "When the last check came to its end (Unix time); 0 before the first.",
            registry=self.registry,
        )
        self.seconds = Gauge(
            "traverse_check_seconds", "How long the last check took.", registry=self.registry
        )
        self.failures = Counter(
            "traverse_check_failures_total",
            "Checks that came to nothing: an engine was away, or refused.",
            registry=self.registry,
        )

    def serve(self, address: str) -> None:
        """Answer Prometheus at `host:port`. A port that is taken is said, and no more: another
        `traverse work` of this machine tells the same."""
        host, _, port = address.rpartition(":")
        try:
            start_http_server(int(port), addr=host, registry=self.registry)
        except OSError as error:
            _LOG.warning(
                "Les mesures de la vérification ne sont pas publiées : %s ne peut pas être ouvert "
                "(%s) ; TRAVERSE_CHECK_METRICS en choisit un autre.",
                address,
                fault(error),
            )


class Throttle:
    """Called between two portions of work: rests as long as keeps the work to `share` of the
    time."""

    def __init__(
        self,
        share: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rest = 1 / share - 1
        self._clock = clock
        self._pause = pause
        self._since = clock()

    def __call__(self) -> None:
        self._pause((self._clock() - self._since) * self._rest)
        self._since = self._clock()


def watch(
    check: Callable[[], Report], metrics: CheckMetrics, every: float, stop: threading.Event
) -> None:
    """Check each `every` seconds until `stop`, for the first time after as many."""
    while not stop.wait(every):
        look(check, metrics)


def look(check: Callable[[], Report], metrics: CheckMetrics) -> None:
    """One check, told; what fails is told too, and tried again next time."""
    started = time.monotonic()
    try:
        report = check()
    except InfraError as error:
        metrics.failures.inc()
        _LOG.warning("La vérification n'a pas abouti : %s", error)
        return
    metrics.differing.clear()
    for one in report.sums:
        metrics.differing.labels(one.institution).set(0)
    for institution, count in report.by_institution.items():
        metrics.differing.labels(institution).set(count)
    metrics.documents.set(sum(one.log_count for one in report.sums))
    metrics.seconds.set(time.monotonic() - started)
    metrics.ended.set_to_current_time()
    if report.differing:
        _LOG.warning(
            "%d document(s) de l'index diffèrent du journal : « traverse check » les nomme, "
            "« traverse check --repair » les réécrit.",
            report.differing,
        )
