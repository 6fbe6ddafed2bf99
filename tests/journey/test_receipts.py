"""Every event that was sent has one end that its publisher can look up, whatever was killed."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.journey.harness import Ends, Journey, sent, until
from tests.journey.history import Mixed
from tests.stream_processors.factory import CCI, event
from traverse_producers.receipts.follow import Follower
from traverse_producers.receipts.trace import Trace, joined
from traverse_schemas.identity import opportunity_id
from traverse_schemas.receipts import End
from traverse_schemas.topics import ACCEPTED, RECEIPTS, RECORDS

pytestmark = pytest.mark.engines


class Traces:
    """The traces of a journey, looked up as the gateway and the command line do."""

    def __init__(self, journey: Journey) -> None:
        follower = Follower(journey.kafka, journey.home)
        follower.catch_up()
        self._store = follower.store()

    def of(self, source: str, event_id: str) -> Trace | None:
        return joined(source, event_id, self._store.said_of(source, event_id))

    def end(self, source: str, event_id: str) -> str | None:
        trace = self.of(source, event_id)
        return None if trace is None else str(trace.end)


def test_the_trace_of_an_event_says_when_and_where(flowing: Journey) -> None:
    whole = event(id="rc-1", subject="RC-1")
    newer = event("updated", id="rc-2", subject="RC-1", time="2026-11-21T10:00:00Z")
    older = event("updated", id="rc-3", subject="RC-1", time="2026-11-20T10:00:00Z")
    flowing.publish(whole)
    flowing.publish(newer)
    flowing.publish(older, whole, event(id="rc-4", subject="RC-4", data={}))
    flowing.publish(event("withdrawn", id="rc-5", subject="RC-1", time="2026-11-22T10:00:00Z"))
    traces = Traces(flowing)
    first = traces.of(CCI, "rc-1")
    assert first is not None
    assert (first.end, first.opportunity) == (End.SEARCHABLE, opportunity_id(CCI, "RC-1"))
    times = [step.at for step in first.steps]
    assert [step.name for step in first.steps] == ["received", "validated", "linked", "searchable"]
    assert times == sorted(times)
    assert [note.name for note in first.notes] == ["duplicate"]
    ends = [traces.end(CCI, f"rc-{number}") for number in range(2, 7)]
    assert ends == ["searchable", "superseded", "rejected", "withdrawn", None]
    refused = traces.of(CCI, "rc-4")
    assert refused is not None
    assert refused.sentence
    # One message an event, and one for the duplicate.
    assert len([one for one in flowing.read(RECEIPTS) if b'"rc-' in one.key]) == 5


def test_the_command_shows_a_trace_in_french_and_says_what_it_does_not_know(
    flowing: Journey, tmp_path: Path
) -> None:
    flowing.publish(event(id="rc-20", subject="RC-20"))

    def run(event_id: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "traverse_infra.cli", "receipt", CCI, event_id],
            env={
                **os.environ, "TRAVERSE_KAFKA": flowing.kafka, "TRAVERSE_HOME": str(tmp_path),
            },
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    known = run("rc-20")
    assert known.returncode == 0
    assert "Trouvable dans la recherche" in known.stdout
    unknown = run("rc-21")
    assert unknown.returncode == 1
    assert "Rien n'est connu" in unknown.stderr


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
