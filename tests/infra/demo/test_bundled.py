"""The bundled set is what it claims: believable, complete, and wrong only where it means to be."""

import json
import re
from collections import Counter
from datetime import datetime
from functools import cache
from importlib.resources import as_file, files
from itertools import chain
from typing import Any

import pytest

from tests.infra.demo.playing import RECEIVED, Played, play
from traverse_infra.demo.bundled import Bundled, Search, load
from traverse_schemas.documents.status import status_of
from traverse_schemas.errors import Reason
from traverse_schemas.events import EVENT_TYPES, event_adapter
from traverse_schemas.log.identity import record_key
from traverse_schemas.log.topics import MAX_EVENT_BYTES
from traverse_schemas.records.codes import (
    OUTCOMES,
    Access,
    ActionKind,
    CallSubtype,
    Kind,
    Nature,
    NeedSubtype,
    ProjectSubtype,
    UpdateReason,
    WithdrawalReason,
)
from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.territories import Territories
from traverse_schemas.signing.attribution import OF_ATTRIBUTION
from traverse_schemas.values.siren import is_siren, is_siret
from traverse_schemas.visibility import Visibility

_LITTLE_WORDS = {"de", "des", "la", "le", "les"}
# The one owner whose number is wrong on purpose, as it came in a notice.
_FLAGGED = "211300554"


@cache
def bundled() -> Bundled:
    return load()


@cache
def played() -> Played:
    with as_file(files("traverse_infra.demo") / "data" / "institutions.json") as institutions:
        return play(bundled().events, institutions)


def good() -> list[dict[str, Any]]:
    return [json.loads(octets) for octets in bundled().good]


def records() -> list[dict[str, Any]]:
    """The records that events carry, in whichever field."""
    data = [event["data"] for event in good()]
    return [one.get("record", one) for one in data if "title" in one.get("record", one)]


def sums(of: Bundled, what: Played) -> dict[str, Any]:
    """What the manifest expects, counted."""
    documents = what.documents.values()
    as_of = datetime.fromisoformat(of.as_of)

    def by(name: str) -> dict[str, int]:
        return dict(sorted(Counter(str(one[name]) for one in documents).items()))

    statuses = Counter(f"{one['kind']}.{status_of(one, as_of)}" for one in documents)
    return {
        "events": {"total": len(of.events), **dict(sorted(what.ends.items()))},
        "records": {
            "total": len(what.documents) + len(what.withdrawn),
            "withdrawn": len(what.withdrawn),
            "public": len(what.public),
            "by_kind": by("kind"),
            "by_subtype": by("subtype"),
            "by_visibility": by("visibility"),
            "by_status": dict(sorted(statuses.items())),
        },
        "rejected": dict(sorted(Counter(what.reasons).items())),
    }


def test_every_good_event_fits_its_model() -> None:
    """Right at the border, in strict JSON mode."""
    adapters = {name: event_adapter(known) for name, known in EVENT_TYPES.items()}
    for octets in bundled().good:
        event = adapters[json.loads(octets)["type"]].validate_json(octets)
        assert event.time <= RECEIVED


def test_every_wrong_event_is_refused_for_its_reason() -> None:
    """And no good one is: what was refused, in order, is the list of what is wrong."""
    assert played().reasons == list(bundled().reasons)


def test_the_reasons_are_those_that_a_publisher_can_cause() -> None:
    ours = {Reason.INTERNAL, Reason.DOCUMENT_REFUSED}
    assert set(bundled().reasons) == {*Reason} - ours - OF_ATTRIBUTION


def test_the_sums_are_those_of_the_manifest() -> None:
    assert sums(bundled(), played()) == bundled().expected


def test_the_cast_is_complete_and_its_numbers_are_right() -> None:
    cast = bundled().institutions
    assert Counter(one["kind"] for one in cast) == {
        "region": 1,
        "department": 1,
        "epci": 3,
        "commune": 10,
        "federation": 2,
        "chamber": 1,
    }
    assert all(is_siren(one["siren"]) for one in cast)


@pytest.mark.parametrize("one", load().institutions, ids=lambda one: str(one["name"]))
def test_an_institution_is_the_one_of_the_reference_tables(one: dict[str, Any]) -> None:
    """Its territory exists; where the tables know its SIREN, that is its own territory."""
    territories = Territories.load()
    assert territories.chain(one["territory"]) is not None
    known = territories.by_siren(one["siren"])
    assert (known is not None) >= (one["kind"] in ("commune", "epci"))
    assert known is None or known.territory == one["territory"]


def test_everybody_speaks_by_a_registered_system() -> None:
    registered = {
        source
        for one in bundled().institutions
        for siren in [f"urn:siren:{one['siren']}"]
        for source in [siren, *(f"{siren}:{system}" for system in one["systems"])]
    }
    spoken = {event["source"] for event in good()}
    assert spoken <= registered
    assert {source[:19] for source in spoken} == {source[:19] for source in registered}


def test_every_kind_step_and_word_occurs() -> None:
    data = [event["data"] for event in good()]
    of_records = {name for name, known in EVENT_TYPES.items() if not known.is_decision}
    assert {event["type"] for event in good()} >= of_records
    subtypes = {one["subtype"] for one in records()}
    assert subtypes == {*CallSubtype, *NeedSubtype, *ProjectSubtype}
    assert {one["visibility"] for one in records() if "visibility" in one} == {*Visibility}
    assert {one["nature"] for one in records() if "nature" in one} == {*Nature}
    assert {access for one in records() for access in one.get("access", ())} == {*Access}
    actions = {action["kind"] for one in records() for action in one.get("actions", ())}
    assert actions == {*ActionKind}
    reasons = {one["reason"] for one in data if one.get("reason") in {*UpdateReason}}
    assert reasons == {*UpdateReason}
    withdrawn = [event["data"]["reason"] for event in good() if "withdrawn" in event["type"]]
    assert {*withdrawn} == {*WithdrawalReason}
    lot_outcomes = {
        lot["outcome"] for one in data if "outcome" in one for lot in one.get("lots", ())
    }
    assert {"awarded", "unsuccessful", "dropped"} <= lot_outcomes


@pytest.mark.parametrize("kind", Kind)
def test_every_outcome_of_a_kind_occurs(kind: Kind) -> None:
    closed = [event for event in good() if event["type"] == f"fr.traverse.{kind}.closed.v1"]
    assert {event["data"]["outcome"] for event in closed} == OUTCOMES[kind]


def test_places_and_eligible_areas_are_of_every_level() -> None:
    """With arrondissements of Marseille."""
    places = {code for one in records() for code in one["place"]}
    areas = {code for one in records() for code in one.get("eligible_area", ())}
    assert {code.partition(":")[0] for code in places} == {"com", "cp", "epci", "dep", "reg"}
    assert {code.partition(":")[0] for code in places | areas} >= {"fr"}
    assert {code.partition(":")[0] for code in areas} == {"epci", "dep", "reg", "fr"}
    assert len({code for code in places if code.startswith("com:132")}) > 5


def test_deadlines_have_hours_or_not_and_some_are_near_or_passed() -> None:
    deadlines = [deadline["at"] for one in records() for deadline in one.get("deadlines", ())]
    assert any(len(at) == len("2026-12-18") for at in deadlines)
    assert any(at.startswith("2026-11-27T12:00") for at in deadlines)
    statuses = bundled().expected["records"]["by_status"]
    for status in ("open", "closing_soon", "under_review", "running", "ended", "announced"):
        assert statuses[f"call.{status}"] > 0


def test_ids_repeat_only_for_exact_repetitions() -> None:
    contents: dict[tuple[str, str], set[bytes]] = {}
    for octets in bundled().good:
        event = json.loads(octets)
        contents.setdefault((event["source"], event["id"]), set()).add(octets)
    assert all(len(each) == 1 for each in contents.values())


def test_no_two_records_have_the_same_words() -> None:
    """Written one by one: only one line for everybody's school supplies is common property."""
    said: dict[str, set[str]] = {}
    for event in good():
        record = event["data"].get("record", event["data"])
        if "title" in record:
            text = f"{record['title']} {record.get('description', '')}"
            said.setdefault(text, set()).add(record_key(event["source"], event["subject"]))
    assert [text for text, keys in said.items() if len(keys) > 1] == []


def test_numbers_of_owners_and_holders_pass_their_check_but_the_flagged_one() -> None:
    closings = (event["data"] for event in good() if "outcome" in event["data"])
    lots = (lot for one in closings for lot in one.get("lots", ()))
    holders = chain(
        *(event["data"].get("holders", ()) for event in good()),
        *(lot.get("holders", ()) for lot in lots),
    )
    owners = (one["owner"] for one in records() if "owner" in one)
    numbers = {one["id"] for one in chain(holders, owners)}
    assert {one for one in numbers if not (is_siren(one) or is_siret(one))} == {_FLAGGED}
    flagged = [one for one in played().documents.values() if one.get("owner_id") == _FLAGGED]
    assert ["owner_number_invalid" in one["flags"] for one in flagged] == [True]


def test_shouting_markup_and_mojibake_are_cleaned() -> None:
    """They are in what was sent, and gone from what people read."""
    sent = [text for one in records() for text in (one["title"], one.get("description", ""))]
    assert any(text.isupper() for text in sent)
    assert any("<li>" in text for text in sent)
    assert any("Ã©" in text for text in sent)
    for document in played().documents.values():
        text = f"{document['title']} {document.get('description', '')}"
        assert not re.search(r"[<>]|&\w+;|Ã", text)
        assert not document["title"].isupper()


@pytest.mark.parametrize("example", load().examples, ids=lambda one: str(one.parameters["q"]))
def test_an_example_search_has_public_records_to_find(example: Search) -> None:
    """At least three that hold every word that is typed, and lie where the search looks."""
    assert len(example.finds) >= 3
    words = {_stem(word) for word in fold_name(example.parameters["q"]).split()} - _LITTLE_WORDS
    for name in example.finds:
        key = record_key(*name)
        assert key in played().public
        document = played().documents[key]
        text = " ".join((document["title"], document.get("description", "")))
        assert words <= {_stem(word) for word in fold_name(text).split()}, key
        assert example.parameters.get("territory", "fr") in document["within"]


def _stem(word: str) -> str:
    return word if word in _LITTLE_WORDS else word.rstrip("sx")


def test_the_event_that_is_made_here_is_too_large_and_otherwise_json() -> None:
    event = bundled().wrong[-1]
    assert len(event) == 600 * 1024 > MAX_EVENT_BYTES
    assert json.loads(event)["id"] == "essai-99"


def test_the_set_is_of_the_size_of_a_demonstration() -> None:
    assert 300 <= len(bundled().good) <= 400


def test_no_address_leads_to_a_person_or_a_real_site() -> None:
    """Addresses and e-mails are at exemple.fr, contacts are services, and nobody has a phone."""
    text = b"\n".join(bundled().good).decode()
    assert set(re.findall(r"https?://([^/\"]+)", text)) == {"exemple.fr"}
    assert {mail.partition("@")[2] for mail in re.findall(r"[\w.]+@[\w.]+", text)} == {"exemple.fr"}
    assert not re.findall(r"(?<!\d)0[1-9](?:[ .]?\d{2}){4}(?!\d)", text)
    assert all("phone" not in one.get("contact", {}) for one in records())
    assert not re.findall(r"\b(?:M\.|Mme|Monsieur|Madame) ", text)


def test_nothing_is_coded_as_a_mower_that_is_none() -> None:
    """Whoever searches « tondeuse » finds the labels of CPV codes too."""
    coded = [one["title"] for one in records() if "16311000" in one.get("cpv", ())]
    assert not [title for title in coded if "tondeuse" not in fold_name(title)]
