"""`traverse work` as an operator runs it: both steps under one process."""

import signal

import psutil
import pytest

from tests.journey.harness import Journey, until
from tests.stream_processors.factory import event

pytestmark = pytest.mark.engines


def test_both_steps_run_and_end_with_their_parent(journey: Journey) -> None:
    """Even when the parent is killed: a step left behind would go on unseen."""
    (work,) = journey.start("all")
    whole = event()
    journey.publish(whole)
    assert journey.document(whole) is not None
    children = psutil.Process(work.process.pid).children()
    assert len(children) == 2
    work.kill()
    until(lambda: not any(child.is_running() for child in children), "the steps to end")


def test_a_step_that_leaves_takes_the_other_with_it(journey: Journey) -> None:
    """Whoever supervises `traverse work` sees one process end, with that step's code."""
    (work,) = journey.start("all")
    until(lambda: len(psutil.Process(work.process.pid).children()) == 2, "both steps")
    children = psutil.Process(work.process.pid).children()
    children[0].kill()
    assert work.left() == 128 + signal.SIGKILL
    assert not any(child.is_running() for child in children)
    journey.workers.remove(work)
