"""The check in the background: what it tells, and how slowly it works."""

import threading

import pytest

from traverse_infra.check.compare import Report
from traverse_infra.check.ledger import Sum
from traverse_infra.check.watch import CheckMetrics, Throttle, look, watch
from traverse_infra.errors import EngineAwayError


def report(**differing: int) -> Report:
    sums = [Sum(name, 10, "a", 10, "a") for name in ("aix", "arles")]
    return Report(sums, differing, [], 0, [])


def value(metrics: CheckMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_each_institution_has_its_number_at_the_last_check() -> None:
    metrics = CheckMetrics()
    name = "traverse_check_differing_documents"
    look(lambda: report(aix=3, gone=1), metrics)
    assert [value(metrics, name, institution=one) for one in ("aix", "arles", "gone")] == [3, 0, 1]
    assert value(metrics, "traverse_check_documents") == 20
    look(report, metrics)
    assert [value(metrics, name, institution=one) for one in ("aix", "gone")] == [0, None]
    assert (value(metrics, "traverse_check_last_end_timestamp_seconds") or 0) > 0


def test_an_engine_that_is_away_is_counted_and_what_was_known_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics = CheckMetrics()
    look(lambda: report(aix=3), metrics)

    def away() -> Report:
        raise EngineAwayError("Kafka", "127.0.0.1:1", "refused")

    look(away, metrics)
    assert value(metrics, "traverse_check_failures_total") == 1
    assert value(metrics, "traverse_check_differing_documents", institution="aix") == 3
    assert "n'a pas abouti" in caplog.text


def test_it_checks_until_it_is_stopped() -> None:
    stop = threading.Event()
    checks: list[int] = []

    def check() -> Report:
        checks.append(1)
        if len(checks) == 3:
            stop.set()
        return report()

    watch(check, CheckMetrics(), 0.001, stop)
    assert len(checks) == 3


def test_it_rests_four_times_as_long_as_it_works() -> None:
    now = [0.0]
    pauses: list[float] = []
    rest = Throttle(0.2, clock=lambda: now[0], pause=pauses.append)
    now[0] = 1.0
    rest()
    now[0] = 1.5
    rest()
    assert pauses == [pytest.approx(4.0), pytest.approx(2.0)]
