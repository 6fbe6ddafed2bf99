"""Accepted events taken into account again come to the states that they came to."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stream_processors.enriching.test_fold import accept, content_of, histories, state_after
from tests.stream_processors.factory import CCI, RECEIVED, call_data, event, octets
from traverse_schemas.errors import RejectedError
from traverse_schemas.reference.territories import Territories
from traverse_stream_processors.validating.replay import replay
from traverse_stream_processors.validating.validate import Accepted, accepted_before, validate


@given(histories(), st.randoms(use_true_random=False), st.integers(0, 7))
def test_in_any_order_and_in_any_batches_it_is_the_state_of_the_record(
    history: list[Accepted], random: Any, cut: int
) -> None:
    expected = state_after(history)
    again = [accepted_before(one.octets) for one in history]
    random.shuffle(again)
    states: dict[str, bytes] = {}
    for batch in (again[:cut], again[cut:], again[:cut]):
        found = replay([(0, one) for one in batch], states, content_of)
        states |= {key: state for key, _, state in found.states}
    assert [orjson.loads(state) for state in states.values()] == [expected]


def test_what_was_accepted_is_not_judged_again() -> None:
    """A place that is no more, a deadline that rules would refuse today."""
    whole = event(data=call_data(place=["com:13999"]))
    with pytest.raises(RejectedError):
        validate(octets(whole), RECEIVED, Territories.load())
    assert accepted_before(octets(whole)).key == f"{CCI} VOIRIE-2026"


def test_decisions_come_again_as_they_were() -> None:
    records = [{"source": CCI, "subject": each} for each in ("A", "B")]
    whole = event("same_as", kind="link", data={"records": records})
    found = replay([(2, accept(whole))], {}, content_of)
    assert found.states == []
    (message,) = found.decisions
    assert message.partition == 2
    assert orjson.loads(message.value or b"")["word"] == "same_as"
