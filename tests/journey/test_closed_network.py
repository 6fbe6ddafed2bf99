"""A closed network, where the broker's own rights tell who writes."""

from dataclasses import replace

import pytest

from tests.journey.harness import Journey, sent
from tests.stream_processors.factory import event
from traverse_schemas.log.topics import ACCEPTED
from traverse_schemas.signing.signatures import SIGNATURE_HEADER

pytestmark = pytest.mark.engines


def test_signatures_can_be_left_out_on_a_closed_network(journey: Journey) -> None:
    """TRAVERSE_SIGNATURES=off: unsigned events count, and the log says so."""
    whole = event(id="CLOSED-1", subject="CLOSED-1", source="urn:siren:213100019")
    (validate, _) = journey.start(signatures="off")
    journey.send([replace(sent(whole), signed=False)])
    journey.settle()
    assert journey.document(whole) is not None
    assert "TRAVERSE_SIGNATURES=off" in validate.words
    (kept,) = journey.read(ACCEPTED)
    assert SIGNATURE_HEADER not in kept.headers
