"""Receipts are not changed by a step that begins again (those of killed steps:
`test_killed_workers`)."""

import subprocess
import sys

import pytest

from tests.journey.harness import Journey, sent, until
from tests.journey.traces import Traces
from tests.stream_processors.factory import CCI, event
from traverse_schemas.log.topics import RECEIPTS

pytestmark = pytest.mark.engines


def test_an_index_step_that_starts_again_from_the_first_record_changes_no_trace(
    journey: Journey,
) -> None:
    journey.start()
    first = [event(id=f"rc-3{number}", subject=f"RC-3{number}") for number in range(5)]
    journey.send([sent(whole) for whole in first])
    journey.settle()
    before = [Traces(journey).of(CCI, whole["id"]) for whole in first]
    journey.stop_step("index")
    subprocess.run(  # as an operator would have the step read all again
        [sys.executable, "-c", _REWIND, journey.kafka], check=True
    )
    journey.start("index")
    until(lambda: len(journey.read(RECEIPTS)) >= 10, "the receipts again")
    assert [Traces(journey).of(CCI, whole["id"]) for whole in first] == before


_REWIND = """
import sys
from kafka import KafkaAdminClient
admin = KafkaAdminClient(bootstrap_servers=sys.argv[1])
admin.delete_groups(["traverse-index"])
admin.close()
"""
