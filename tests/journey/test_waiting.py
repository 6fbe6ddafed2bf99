"""What waits for the steps, by partition and since when, on a real broker."""

from datetime import timedelta

import pytest

from tests.journey.harness import Journey, sent
from tests.stream_processors.factory import event
from traverse_infra.check.operation import behind
from traverse_infra.log.reading import waiting
from traverse_schemas.clock import SystemClock
from traverse_schemas.log.topics import INBOUND, PARTITIONS

pytestmark = pytest.mark.engines


def test_what_waits_is_told_with_its_partition_and_its_age(journey: Journey) -> None:
    one = sent(event())
    journey.send([one, one])
    in_an_hour = SystemClock().now() + timedelta(hours=1)
    (late,) = behind(journey.kafka, in_an_hour)
    assert (late.step, late.topic, late.partition, late.messages) == (
        "traverse-validate", INBOUND, one.partition, 2,
    )  # fmt: skip
    assert late.seconds is not None
    assert 3500 < late.seconds < 3700
    journey.start()
    journey.settle()
    assert behind(journey.kafka, in_an_hour) == []
    inbound = [each for each in waiting(journey.kafka) if each.topic == INBOUND]
    assert len(inbound) == PARTITIONS
    assert {each.start for each in inbound} == {0, 2}
