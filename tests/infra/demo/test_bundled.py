"""The bundled set is what it claims: believable, complete, and wrong only where it means to be."""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from traverse_infra.demo.bundled import Bundled, load
from traverse_schemas.errors import RejectedError
from traverse_schemas.events import EVENT_TYPES
from traverse_schemas.records.codes import (
    CallSubtype,
    NeedSubtype,
    Outcome,
    ProjectSubtype,
    WithdrawalReason,
)
from traverse_schemas.reference.territories import Territories
from traverse_schemas.values.siren import is_siren
from traverse_schemas.visibility import Visibility
from traverse_stream_processors.validate import validate

RECEIVED = datetime(2026, 11, 24, 8, tzinfo=UTC)


def good(bundled: Bundled) -> list[dict[str, Any]]:
    return [json.loads(octets) for octets in bundled.events[: -len(bundled.wrong)]]


def test_every_good_event_is_accepted() -> None:
    bundled = load()
    for octets in bundled.events[: -len(bundled.wrong)]:
        assert validate(octets, RECEIVED, Territories.load()).octets == octets


def test_every_wrong_event_is_refused_for_the_reason_the_manifest_counts() -> None:
    bundled = load()
    reasons: Counter[str] = Counter()
    for octets in bundled.wrong:
        try:
            accepted = validate(octets, RECEIVED, Territories.load())
        except RejectedError as error:
            reasons[error.reason] += 1
        else:
            # Well said, but under an id that was used before: only the log knows.
            assert accepted.event.id in {event["id"] for event in good(bundled)}
            reasons["id_reused"] += 1
    assert reasons == bundled.rejected


def test_the_cast_is_complete_and_its_numbers_are_right() -> None:
    cast = load().institutions
    assert Counter(one["kind"] for one in cast) == {
        "region": 1,
        "department": 1,
        "epci": 3,
        "commune": 10,
        "federation": 2,
        "chamber": 1,
    }
    assert all(is_siren(one["siren"]) for one in cast)
    speaking = {event["source"] for event in good(load())}
    assert speaking == {f"urn:siren:{one['siren']}" for one in cast}


def test_every_kind_and_step_of_life_occurs() -> None:
    events = good(load())
    data = [event["data"] for event in events]
    assert {event["type"] for event in events} >= {
        name
        for name, known in EVENT_TYPES.items()
        if known.action != "withdrawn" and (known.kind, known.action) != ("need", "published")
    }
    assert {one.get("subtype") for one in data} >= {*CallSubtype, *NeedSubtype, *ProjectSubtype}
    assert {one.get("outcome") for one in data} >= set(Outcome)
    assert {one.get("visibility") for one in data} >= set(Visibility)
    withdrawn = [one for one in events if one["type"].endswith("withdrawn.v1")]
    assert {one["data"]["reason"] for one in withdrawn} == set(WithdrawalReason)


def test_ids_repeat_only_for_exact_repetitions() -> None:
    by_id: dict[tuple[str, str], set[str]] = {}
    for event in good(load()):
        by_id.setdefault((event["source"], event["id"]), set()).add(json.dumps(event))
    assert all(len(contents) == 1 for contents in by_id.values())


def test_no_address_leads_to_a_person_or_a_real_site() -> None:
    text = b"\n".join(load().events[:-1]).decode(errors="replace")
    assert set(re.findall(r"https?://([^/\"]+)", text)) == {"exemple.fr"}
    assert not re.findall(r"[\w.]+@[\w.]+", text)
    assert not re.findall(r"\b0[1-9](?:[ .]?\d{2}){4}\b", text)
