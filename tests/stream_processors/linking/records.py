"""States of records of our own writing, as `traverse.records` holds them."""

from functools import partial
from pathlib import Path
from typing import Any

from tests.stream_processors.factory import RECEIVED, call_data, event, octets
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.reference.institutions import Institutions
from traverse_schemas.reference.territories import Territories
from traverse_stream_processors.enriching.enrich import enrich
from traverse_stream_processors.enriching.fold import fold
from traverse_stream_processors.linking.features import Features, features_of
from traverse_stream_processors.validating.validate import validate

_TERRITORIES = Territories.load()
_ENRICH = partial(
    enrich,
    territories=_TERRITORIES,
    institutions=Institutions.load(Path("no-such-file"), _TERRITORIES),
)


def state_of(*events: dict[str, Any]) -> RecordState:
    """The state that the events of one record come to."""
    state: RecordState | None = None
    for whole in events:
        accepted = validate(octets(whole), RECEIVED, _TERRITORIES)
        state = fold(state, accepted, _ENRICH(accepted))
    assert state is not None
    return state


def call(subject: str, source: str = "urn:siren:211300553", **data: Any) -> RecordState:
    """The state of one published call; `data` replaces fields of `call_data`."""
    time = data.pop("time", "2026-11-20T10:00:00+01:00")
    return state_of(
        event(id=f"e-{subject}", source=source, subject=subject, time=time, data=call_data(**data))
    )


def features(subject: str, source: str = "urn:siren:211300553", **data: Any) -> Features:
    """The features of such a call."""
    found = features_of(call(subject, source, **data))
    assert found is not None
    return found
