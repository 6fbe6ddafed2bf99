"""Every event that was sent has one end that its publisher can look up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journey.harness import Journey
from tests.journey.traces import Traces
from tests.stream_processors.factory import CCI, event
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.log.receipts import End
from traverse_schemas.log.topics import RECEIPTS

pytestmark = pytest.mark.engines


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
