"""Receipts are neither lost nor changed by what is killed or begins again."""

import subprocess
import sys

import orjson
import pytest

from tests.journey.harness import Ends, Journey, sent, until
from tests.journey.history import Mixed
from tests.journey.traces import Traces
from tests.stream_processors.factory import CCI, event
from traverse_schemas.receipts import End
from traverse_schemas.topics import ACCEPTED, RECEIPTS, RECORDS

pytestmark = pytest.mark.engines


def test_killed_at_any_moment_every_event_still_has_its_end(journey: Journey) -> None:
    """SIGKILL to both steps in the middle: what was accepted or refused has an end, one each."""
    history = Mixed(seed=11, size=1200)
    records, receipts = Ends(journey.kafka, RECORDS), Ends(journey.kafka, RECEIPTS)
    running = journey.start(batch_size="40")
    journey.send(history.messages[:600])
    until(lambda: records.count() > 60, "validate at work")
    running[0].kill()
    until(lambda: receipts.count() > 40, "index at work")
    running[1].kill()
    journey.start(batch_size="40")
    journey.send(history.messages[600:])
    journey.settle()
    records.close()
    receipts.close()
    traces = Traces(journey)
    accepted = [orjson.loads(one.key) for one in journey.read(ACCEPTED)]
    assert len(accepted) > 600
    ends = {(source, name): traces.end(source, name) for source, _, name in accepted}
    known = {End.SEARCHABLE, End.SUPERSEDED, End.WITHDRAWN, End.WAITING}
    assert {key: end for key, end in ends.items() if end not in known} == {}
    waiting = [key for key, end in ends.items() if end == End.WAITING]
    for source, _, name in accepted:
        if (source, name) in waiting:
            # Nothing of such a record can be found: no content was ever said.
            assert not name.endswith("-0")


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
