"""An institution that only tries: everything is decided, its institution is told, nobody else."""

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from tests.signing import CCI as CHAMBER
from tests.signing import member, signature
from tests.stream_processors.factory import CCI, RECEIVED, call_data, event, inbound
from tests.stream_processors.validating.test_admit import content, on
from traverse_schemas.errors import Reason
from traverse_schemas.log.receipts import SIREN_HEADER, End
from traverse_schemas.log.topics import INBOUND, PARTITIONS, RECEIPTS, REJECTED
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.institution_changes import (
    NotTryingError,
    enrol,
    open_institution,
    revoke_institution,
)
from traverse_schemas.registry.institutions import Institution
from traverse_schemas.registry.registry import RegistryView
from traverse_schemas.signing.signatures import SIGNATURE_HEADER
from traverse_stream_processors.validating.admit import Admitted, admit, erased_records
from traverse_stream_processors.validating.check import Checked, check

TRYING = member(CHAMBER, sandbox=True)
LATER = "2026-11-21T10:00:00Z"
LAST = "2026-11-22T10:00:00Z"


def checked(
    *events: dict[str, Any], who: Institution = TRYING, received: datetime = RECEIVED
) -> list[Checked]:
    """Signed events as validate judges them."""
    messages = []
    for offset, whole in enumerate(events):
        message = inbound(whole, offset)
        headers = ((SIGNATURE_HEADER, signature(message.value)),)
        messages.append(message._replace(headers=headers, received=received))
    return check(messages, Territories.load(), RegistryView([who]))


def tried(*events: dict[str, Any], after: Admitted | None = None, **more: Any) -> Admitted:
    """A batch, alone or `after` another."""
    batch = checked(*events, **more)
    known = {one.id: one.hash for one in after.known} if after else {}
    states = {key: state for key, _, state in after.states} if after else {}
    events_of: dict[int, list[tuple[str, bool]]] = {one: [] for one in erased_records(batch)}
    for one in after.known if after else ():
        events_of.setdefault(one.record, []).append((one.event, one.public))
    return admit(batch, known, states, content, PARTITIONS, events_of)


def told(admitted: Admitted) -> dict[str, dict[str, Any]]:
    """The receipts by event id; nothing else that is not for the institution alone has left."""
    assert admitted.accepted == []
    assert {one.topic for one in admitted.effects} <= {RECEIPTS, REJECTED}
    receipts = [orjson.loads(one.value or b"") for one in on(RECEIPTS, admitted.effects)]
    return {one["id"]: one for one in receipts}


def test_a_trial_ends_as_one_and_says_what_it_would_have_come_to() -> None:
    receipt = told(tried(event(source=CCI)))["e-1"]
    assert (receipt["end"], receipt["would"]) == (End.SANDBOX, End.SEARCHABLE)
    assert receipt["origin"].endswith("@0")
    assert receipt["enriched"] == {"visibility": "public"}
    assert "voirie" not in str(receipt), "a receipt has none of the publisher's words"


def test_every_version_of_a_trial_is_judged_as_it_would_be() -> None:
    first = tried(event(id="1"), event("updated", id="2", time=LATER))
    ((_, _, kept),) = first.states
    assert "Réfection" not in kept.decode(), "the cache has none of the publisher's words"
    assert {name: one["would"] for name, one in told(first).items()} == {
        "1": End.SEARCHABLE,
        "2": End.SEARCHABLE,
    }
    older = tried(event("updated", id="3", time="2026-11-19T10:00:00Z"), event(id="1"), after=first)
    receipts = told(older)
    assert receipts["3"]["would"] == End.SUPERSEDED
    assert receipts["1"]["end"] == End.DUPLICATE
    gone = tried(event("withdrawn", id="4", time=LAST, data={"reason": "erasure"}), after=first)
    assert {name: one["would"] for name, one in told(gone).items()} == {"4": End.PURGED}
    assert len(gone.forgotten) == 2
    waiting = told(tried(event("closed", id="5", subject="SEUL")))
    assert waiting["5"]["would"] == End.WAITING


def test_what_is_wrong_in_a_trial_is_rejected_for_its_institution_to_see() -> None:
    once = tried(event())
    wrong = tried(event(data=call_data(title="Autre")), event(id="2", data={}), after=once)
    reasons = [dict(one.headers)["reason"] for one in on(REJECTED, wrong.effects)]
    assert reasons == [Reason.INVALID_DATA.encode(), Reason.ID_REUSED.encode()]
    assert {dict(one.headers)[SIREN_HEADER] for one in on(REJECTED, wrong.effects)} == {
        CHAMBER.encode()
    }
    (moved,) = tried(event(), after=once)._replace(accepted=[]).effects
    assert moved.topic == RECEIPTS


def test_people_s_word_on_records_is_tried_too() -> None:
    word = event(
        type="fr.traverse.link.same_as.v1",
        subject="lien-1",
        data={"records": [{"source": CCI, "subject": "A"}, {"source": CCI, "subject": "B"}]},
    )
    assert told(tried(word))["e-1"]["would"] == End.COUNTED


def test_a_misplaced_trial_goes_round_once_more() -> None:
    (one,) = checked(event())
    wrong = one.message._replace(partition=(one.message.partition + 1) % PARTITIONS)
    admitted = admit([one._replace(message=wrong)], {}, {}, content, PARTITIONS)
    assert [effect.topic for effect in admitted.effects] == [INBOUND]


def test_when_the_trial_ends_the_same_events_are_said_in_earnest() -> None:
    """Judged by when the broker received each: what waited meanwhile stays a trial."""
    opened = open_institution(TRYING, RECEIVED)
    assert open_institution(opened, RECEIVED + timedelta(days=1)) == opened
    trial = tried(event(), who=opened, received=RECEIVED - timedelta(seconds=1))
    assert told(trial)["e-1"]["end"] == End.SANDBOX
    real = tried(event(data=call_data(title="Pour de bon")), who=opened, after=trial)
    assert len(real.accepted) == 1
    assert not on(REJECTED, real.effects)


def test_a_trial_and_others_in_one_batch_do_not_touch() -> None:
    other = event(source="urn:siren:211300553", id="o-1")
    batch = checked(event())
    message = inbound(other, 1)
    headers = ((SIGNATURE_HEADER, signature(message.value)),)
    batch += check(
        [message._replace(headers=headers)], Territories.load(), RegistryView([member("211300553")])
    )
    admitted = admit(batch, {}, {}, content, PARTITIONS)
    assert [one.value for one in admitted.accepted] == [message.value]
    assert [orjson.loads(one.value or b"")["id"] for one in on(RECEIPTS, admitted.effects)] == [
        "e-1"
    ]


def test_nobody_hears_the_name_of_who_tries() -> None:
    """Another's record that names its SIREN is enriched as if it were no member."""
    assert RegistryView([TRYING]).known_to_others(CHAMBER) is None
    opened = open_institution(TRYING, RECEIVED)
    assert RegistryView([opened]).known_to_others(CHAMBER) == opened
    assert RegistryView([opened]).known_to_others("211300553") is None


def test_who_published_in_earnest_does_not_come_back_to_try() -> None:
    """And who tried, left and comes back in earnest leaves its trials what they were."""
    real = revoke_institution(member(CHAMBER), RECEIVED)
    with pytest.raises(NotTryingError, match="pour de bon"):
        enrol(real, TRYING.model_copy(update={"created": RECEIVED}))
    with pytest.raises(NotTryingError, match="pas à l'essai"):
        open_institution(real, RECEIVED)
    back = enrol(
        revoke_institution(TRYING, RECEIVED), member(CHAMBER, created=RECEIVED, signing_keys=())
    )
    assert back.tries(RECEIVED - timedelta(seconds=1))
    assert not back.tries(RECEIVED)
