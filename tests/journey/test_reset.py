"""The accepted events are enough: all that is derived from them can be dropped and made anew."""

import os
import subprocess
import sys

import pytest

from tests.journey.digest import outcome_of
from tests.journey.harness import Journey, until
from tests.journey.history import Mixed
from traverse_infra.log.topics import topic_exists, topic_ids
from traverse_schemas.log.topics import DERIVED, RESET

pytestmark = pytest.mark.engines


def traverse(journey: Journey, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "traverse_infra.cli", *arguments],
        env={
            **os.environ,
            "TRAVERSE_HOME": str(journey.home),
            "TRAVERSE_KAFKA": journey.kafka,
            "TRAVERSE_ELASTICSEARCH": journey.elasticsearch,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_dropped_and_made_anew_it_is_the_same_with_the_same_ids(journey: Journey) -> None:
    """It does not begin while the steps work; killed in the middle, no step works until it was
    asked again; then index, ids and links are what they were."""
    journey.start()
    journey.send(Mixed(seed=5, size=500).messages)
    journey.settle()
    before, topics = outcome_of(journey), topic_ids(journey.kafka)
    assert before.links
    refused = traverse(journey, "reset", "--state", "--yes")
    said, _ = refused.communicate(timeout=120)
    assert refused.returncode == 1
    assert "tournent encore" in said
    journey.stop()
    killed = traverse(journey, "reset", "--state", "--yes")
    until(lambda: topic_exists(journey.kafka, RESET), "the reset to begin")
    killed.kill()
    killed.communicate()
    work = traverse(journey, "work", "--step", "index")
    said, _ = work.communicate(timeout=120)
    assert work.returncode == 1
    assert "traverse reset --state" in said
    done = traverse(journey, "reset", "--state", "--yes")
    said, _ = done.communicate(timeout=300)
    assert done.returncode == 0, said
    journey.start()
    journey.settle()
    assert outcome_of(journey) == before
    after = topic_ids(journey.kafka)
    assert {name for name in topics if topics[name] != after[name]} == {*DERIVED}
