"""`traverse work` as an operator runs it: both steps under one process, others beside."""

import signal
from collections.abc import Callable
from urllib.request import urlopen

import psutil
import pytest

from tests.journey.harness import Journey, until
from tests.stream_processors.factory import event
from traverse_infra.engines.ports import free_ports
from traverse_schemas.documents.index_mapping import PUBLIC_ALIAS

pytestmark = pytest.mark.engines


def test_both_steps_run_and_end_with_their_parent(journey: Journey) -> None:
    """Even when the parent is killed: a step left behind would go on unseen. Meanwhile the check
    tells Prometheus of what somebody altered in the index, and its end ends nobody."""
    (port,) = free_ports(1)
    (work,) = journey.start("all", check_minutes="0.02", check_metrics=f"127.0.0.1:{port}")
    whole = event()
    journey.publish(whole)
    shown = journey.document(whole)
    assert shown is not None
    version = shown.pop("_version")
    until(differing(port, 0), "a check that finds nothing")
    with journey.client() as client:
        client.index(
            index=PUBLIC_ALIAS, id=shown["id"], document={**shown, "title": "Falsifié"},
            version=version, version_type="external_gte", refresh=True,
        )  # fmt: skip
    until(differing(port, 1), "a check that finds it")
    children = psutil.Process(work.process.pid).children()
    (check,) = [child for child in children if "check" in child.cmdline()]
    check.kill()
    until(lambda: "vérification de l'index s'est arrêtée" in work.words, "the steps to go on")
    assert len(psutil.Process(work.process.pid).children()) == 3
    children = psutil.Process(work.process.pid).children()
    (notify,) = [child for child in children if "notify" in child.cmdline()]
    notify.kill()
    until(lambda: "alertes se sont arrêtées" in work.words, "the steps to go on")
    until(lambda: len(psutil.Process(work.process.pid).children()) == 3, "alerts to begin again")
    children = psutil.Process(work.process.pid).children()
    work.kill()
    until(lambda: not any(child.is_running() for child in children), "the steps to end")


def test_a_step_that_leaves_takes_the_other_with_it(journey: Journey) -> None:
    """Whoever supervises `traverse work` sees one process end, with that step's code."""
    (work,) = journey.start("all")
    until(lambda: len(psutil.Process(work.process.pid).children()) == 4, "all of them")
    children = psutil.Process(work.process.pid).children()
    children[0].kill()
    assert work.left() == 128 + signal.SIGKILL
    assert not any(child.is_running() for child in children)
    journey.workers.remove(work)


def differing(port: int, count: int) -> Callable[[], bool]:
    """Whether the last check found so many documents of the owner that differ."""
    metric = 'traverse_check_differing_documents{institution="211300405"} ' + f"{count}.0"

    def told() -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                return metric in answer.read().decode()
        except OSError:
            return False

    return told
