"""One document of several records, each field with where it comes from."""

from typing import Any

import orjson
import pytest

from tests.stream_processors.factory import call_data, event
from tests.stream_processors.linking.records import call, state_of
from traverse_schemas.log.record_state import RecordState
from traverse_stream_processors.linking.ended import Document
from traverse_stream_processors.linking.features import features_of
from traverse_stream_processors.linking.link import Gathered, document_of
from traverse_stream_processors.linking.linker import Linker
from traverse_stream_processors.linking.merge import merge
from traverse_stream_processors.linking.procedure import procedure

OWNER, RELAY = "urn:siren:211300405", "urn:siren:181300013:boamp"


def documents(*states: RecordState) -> list[Document]:
    found = [document_of(state) for state in states]
    assert all(found)
    return [one for one in found if one is not None]


def formed(*states: RecordState) -> list[Any]:
    """All messages of the ids of these records."""
    linker = Linker()
    for state in states:
        linker.put(state["id"], features_of(state))
    groups = linker.groups([state["id"] for state in states])
    heads = {one: group.head for group in groups for one in group.members}
    by_id = {state["id"]: state for state in states}
    return [it for group in groups for it in Gathered(group, by_id, linker).form(heads)]


def test_the_owner_wins_on_its_own_thing_and_the_other_s_claim_is_kept() -> None:
    """Even though the relay spoke later."""
    own = call("VOI-14", OWNER, title="Voirie", amounts=[{"value": 100, "kind": "estimate"}])
    relayed = call(
        "26-1", RELAY, title="Réfection de la voirie communale de Fuveau",
        amounts=[{"value": 200, "kind": "awarded"}], time="2026-11-21T10:00:00Z",
    )  # fmt: skip
    merged = merge(documents(own, relayed))
    assert merged["title"] == "Voirie"
    assert merged["amount"] == 100
    assert merged["provenance"]["amount"] == {
        "source": OWNER,
        "subject": "VOI-14",
        "at": "2026-11-20T09:00:00.000000Z",
        "claims": [
            {"source": RELAY, "subject": "26-1", "at": "2026-11-21T10:00:00.000000Z", "value": 200}
        ],
    }
    assert [one["source"] for one in merged["sources"]] == [OWNER, RELAY]
    assert merged["published_at"] == "2026-11-20T09:00:00.000000Z"
    assert merged["updated_at"] == "2026-11-21T10:00:00.000000Z"


@pytest.mark.parametrize("day", [1, 23])
def test_nobody_takes_over_a_thing_by_calling_it_their_own(day: int) -> None:
    """Whenever they say that it was; what they say of it comes last, their end of it too."""
    thief = "181300013"
    copied = {
        "title": "Réfection de la voirie communale : répondez chez nous",
        "owner": {"id": thief, "name": "Fédération"},
        "url": "https://ailleurs.fr",
        "deadlines": [{"at": "2026-12-01T12:00"}],
    }
    other = call("X", f"urn:siren:{thief}", time=f"2026-11-{day:02}T10:00:00Z", **copied)
    feed = call("26-1", "urn:siren:200054807:boamp")
    (theirs,) = documents(other)
    theirs |= {"state": "closed", "outcome": "dropped", "closed_on": "2026-11-25"}
    for rest in ((feed,), (feed, call("V", OWNER))):
        known = documents(*rest)
        merged = merge([*known, theirs])
        for field in ("owner_siren", "title", "url", "deadline", "state"):
            assert merged[field] == known[-1][field], field
        claims = merged["provenance"]["title"]["claims"]
        assert copied["title"] in [claim["value"] for claim in claims]
        owners = [one["siren"] for one in merged["institutions"] if one["role"] == "owner"]
        assert owners == [OWNER[10:], thief]


def test_whose_thing_it_is_most_institutions_say() -> None:
    wrong = call("1", "urn:siren:200054807:boamp", owner={"id": "211300017", "name": "Aix"})
    right = [call("2", RELAY), call("3", OWNER)]
    assert merge(documents(wrong, *right))["owner_siren"] == OWNER[10:]
    assert merge(documents(wrong, *right[1:]))["owner_siren"] == "211300017"


def test_of_two_relays_the_more_precise_wins_then_the_more_recent() -> None:
    vague = call("1", RELAY, deadlines=[{"at": "2026-12-18"}], time="2026-11-22T10:00:00Z")
    exact = call("2", "urn:siren:200054807:ted", deadlines=[{"at": "2026-12-18T12:00"}],
                 description=None)  # fmt: skip
    merged = merge(documents(vague, exact))
    assert merged["deadline"]["precision"] == "minute"
    assert merged["provenance"]["deadline"]["source"] == "urn:siren:200054807:ted"
    assert merged["provenance"]["procedure" if "procedure" in merged else "nature"]["source"] == (
        RELAY
    )
    assert "deadline_hour_unknown" not in merged.get("flags", [])
    assert merged["description"].startswith("Reprise")


def test_of_two_relays_that_are_as_precise_the_one_that_spoke_last_wins() -> None:
    ted = "urn:siren:200054807:ted"
    for days, winner in (((20, 22), ted), ((22, 20), RELAY)):
        relays = [
            call(f"{number}", source, url=f"https://exemple.fr/{number}",
                 time=f"2026-11-{day}T10:00:00Z")
            for number, (source, day) in enumerate(zip((RELAY, ted), days, strict=True))
        ]  # fmt: skip
        merged = merge(documents(*relays))
        assert merged["provenance"]["url"]["source"] == winner


def test_the_order_of_the_records_does_not_matter() -> None:
    one, two = documents(call("1", RELAY), call("2", OWNER, title="Autre titre"))
    assert merge([one, two]) == merge([two, one])


def test_one_record_stays_as_it_is() -> None:
    (one,) = documents(call("1", OWNER))
    assert merge([one]) == one


def test_an_award_closes_the_call_that_another_source_published() -> None:
    open_call = call("VOI-14", OWNER)
    award = state_of(
        event(
            "closed", source=RELAY, subject="26-9", time="2027-02-01T10:00:00Z",
            data={"outcome": "awarded", "on": "2026-11-01", "record": call_data(),
                  "holders": [{"id": "35600000000048", "name": "Routes SA"}]},
        ) | {"time": "2026-11-22T10:00:00Z"}
    )  # fmt: skip
    merged = merge(documents(open_call, award))
    assert (merged["state"], merged["outcome"]) == ("closed", "awarded")
    assert merged["holders"][0]["name"] == "Routes SA"
    assert merged["provenance"]["state"]["source"] == RELAY


def test_every_member_s_id_leads_to_the_earliest() -> None:
    first = call("VOI-14", OWNER, time="2026-11-19T10:00:00Z")
    later = call("26-1", RELAY, url="https://exemple.fr/boamp/1")
    head, stub = formed(later, first)
    assert head["id"] == first["id"]
    assert head["document"]["merged"][0]["id"] == later["id"]
    assert head["document"]["merged"][0]["reason"].startswith("Même dossier : même ")
    assert stub["document"] == {"id": later["id"], "stub": True, "merged_into": first["id"]}


def test_a_stub_does_not_lead_from_the_public_to_what_is_not() -> None:
    """A record that was public and merges among buyers leaves a bare stub in public."""
    first = call("VOI-14", OWNER, time="2026-11-19T10:00:00Z", visibility="buyers")
    later = state_of(
        event(source=RELAY, subject="26-1"),
        event("updated", id="e-2", source=RELAY, subject="26-1", time="2026-11-21T10:00:00Z",
              data=call_data(visibility="buyers")),
    )  # fmt: skip
    _, stub = formed(first, later)
    assert stub["index"] == "buyers"
    assert stub["stubs"] == ["public"]


def test_lots_of_one_procedure_are_one_document_that_lists_them() -> None:
    lots = [
        call(
            f"2026-GYM-0{number}", OWNER, title=f"Rénovation du gymnase - lot {number} {what}",
            amounts=[{"value": 1000 * number, "kind": "estimate"}], cpv=[cpv],
            url=f"https://exemple.fr/{number}",
        )
        for number, what, cpv in ((1, "gros œuvre", "45223220"), (2, "peinture", "45442100"))
    ]  # fmt: skip
    whole, stub = formed(*lots)
    document = whole["document"]
    assert document["title"] == "Rénovation du gymnase"
    assert document["amount"] == 3000
    assert [lot["number"] for lot in document["lots"]] == ["1", "2"]
    assert document["cpv"] == ["45223220", "45442100"]
    assert stub["document"]["merged_into"] == whole["id"]
    assert document["merged"][0]["reason"] == (
        "Lots 1 et 2 d'une même consultation du même acheteur."
    )


@pytest.mark.parametrize(
    ("lots", "sums"),
    [
        (["awarded excluded", "awarded excluded"], [(300, "awarded", "excluded")]),
        (["awarded excluded", "estimate excluded"], [(300, "estimate", "excluded")]),
        (
            ["estimate included", "estimate excluded"],
            [(200, "estimate", "excluded"), (100, "estimate", "included")],
        ),
        (
            ["maximum excluded", "awarded excluded", "awarded excluded"],
            [(500, "awarded", "excluded"), (100, "maximum", "excluded")],
        ),
    ],
)
def test_only_sums_of_one_sort_are_added(
    lots: list[str], sums: list[tuple[float, str, str]]
) -> None:
    records = []
    for number, lot in enumerate(lots, 1):
        kind, tax = lot.split()
        (one,) = documents(
            call(f"G-{number}", OWNER, title=f"Rénovation du gymnase - lot {number}",
                 amounts=[{"value": 100 * number, "kind": kind, "tax": tax}])
        )  # fmt: skip
        records.append((one, str(number)))
    whole = procedure(records)
    assert [(one["value"], one["kind"], one["tax"]) for one in whole["amounts"]] == sums
    assert whole["amount"] == sums[0][0]


PROCEDURE = "Réhabilitation du groupe scolaire Jean Moulin"


def awarded_lot(number: int, value: int, holder: str, title: str = "", cpv: str = "45214210",
                **data: Any) -> RecordState:  # fmt: skip
    """The contract of a lot, as a feed of contracts tells it."""
    source = "urn:siren:181300013:decp"
    content = call_data(
        title=f"{PROCEDURE} - Lot {number}{title}", references=["2026-GSJM-17"], deadlines=[],
        cpv=[cpv], notified="2027-02-10", url=f"https://exemple.fr/{number}", **data,
    )  # fmt: skip
    ended = {
        "outcome": "awarded",
        "on": "2027-02-10",
        "record": content,
        "amount": {"value": value, "kind": "awarded"},
        "holders": [{"id": holder}],
    }
    return state_of(event("closed", source=source, subject=f"d:{number}", data=ended))


@pytest.mark.parametrize("turn", range(3))
@pytest.mark.parametrize(
    ("titles", "codes"),
    [
        (("", ""), ("45214210", "45214210")),
        ((" : gros œuvre", " : électricité"), ("45214210", "45214210")),
        ((" : gros œuvre", " : électricité"), ("45223220", "45311000")),
    ],
)
def test_a_call_and_the_contracts_of_its_lots_are_one_opportunity_that_lists_them(
    turn: int, titles: tuple[str, str], codes: tuple[str, str]
) -> None:
    whole = call("2026-GSJM", OWNER, title=PROCEDURE, references=["2026-GSJM-17"], cpv=["45214210"])
    holders = ("82161143100015", "35600000000048")
    records = [
        whole,
        *(
            awarded_lot(number, 50_000 * number, holders[number - 1], titles[number - 1],
                        codes[number - 1])
            for number in (1, 2)
        ),
    ]  # fmt: skip
    head, *stubs = formed(*records[turn:], *records[:turn])
    assert len(stubs) == 2
    document = head["document"]
    assert document["title"] == PROCEDURE
    assert [(lot["number"], lot["amount"]["value"]) for lot in document["lots"]] == [
        ("1", 50_000), ("2", 100_000),
    ]  # fmt: skip
    assert document["amount"] == 150_000
    assert document["amounts"][0]["kind"] == "awarded"
    assert {holder["id"] for holder in document["holders"]} == set(holders)
    assert document["deadline"]["until"].startswith("2026-12-18")
    assert (document["state"], document["outcome"]) == ("closed", "awarded")
    assert {one["type"] for one in document["merged"]} == {"lot"}
    assert all("consultation du même acheteur" in one["reason"] for one in document["merged"])


def test_lots_that_are_records_of_their_own_are_open_until_the_last_of_them_closes() -> None:
    """Unless the whole says until when itself; a lot that has ended keeps nothing open."""
    told = documents(
        *(
            call(f"L{number}", title=f"Voirie, lot {number}", deadlines=[{"at": f"2026-12-{day}"}])
            for number, day in (("1", "20"), ("2", "30"), ("3", "10"))
        )
    )
    numbered: list[tuple[Document, str | None]] = list(zip(told, "123", strict=True))
    assert procedure(numbered)["deadline"]["until"].startswith("2026-12-30")
    numbered[1] = ({**told[1], "state": "closed", "outcome": "dropped"}, "2")
    assert procedure(numbered)["deadline"]["until"].startswith("2026-12-20")
    (whole,) = documents(call("C", title="Voirie", deadlines=[{"at": "2026-12-15"}]))
    assert procedure([*numbered, (whole, None)])["deadline"] == whole["deadline"]


def test_a_call_stays_open_while_one_of_its_lots_is_not_awarded() -> None:
    """Its own sum is shown, and each lot once."""
    lots = [{"number": f"0{number}", "title": f"Lot {number}"} for number in (1, 2, 3)]
    whole = call("2026-GSJM", OWNER, title=PROCEDURE, references=["2026-GSJM-17"], lots=lots)
    awarded = [awarded_lot(number, 50_000, "35600000000048") for number in (1, 2)]
    document = formed(whole, *awarded)[0]["document"]
    assert document["state"] == "active"
    assert [lot.get("outcome") for lot in document["lots"]] == ["awarded", "awarded", None]
    assert document["amount"] == 120_000


def test_awards_of_several_notices_are_put_together() -> None:
    lots = [{"number": str(number), "title": f"Lot {number}"} for number in range(1, 5)]
    (told,) = documents(call("26-100001", RELAY, lots=lots))
    first, second, again = (
        {
            **told,
            "id": identity,
            "sources": [{**told["sources"][0], "source": source, "subject": identity}],
            "updated_at": f"2027-0{month}-01T00:00:00.000000Z",
            "state": "closed",
            "outcome": "awarded",
            "closed_on": f"2027-0{month}-01",
            "amount": value,
            "amounts": [{"value": value, "kind": "awarded", "tax": "excluded"}],
            "holders": [{"id": holder, "name": holder}],
            "lots": [{"number": number, "outcome": "awarded"} for number in ended],
        }
        for identity, source, month, value, holder, ended in (
            ("a1", RELAY, 1, 100.0, "A", ("1", "2")),
            ("a2", RELAY, 2, 50.0, "B", ("3", "4")),
            ("a3", "urn:siren:200054807:ted", 1, 49.0, "B", ("3", "4")),
        )
    )
    for records in ([told, first, second], [again, second, first, told]):
        merged = merge(records)
        assert [(one["number"], one["outcome"], one["title"]) for one in merged["lots"]] == [
            (str(number), "awarded", f"Lot {number}") for number in range(1, 5)
        ]
        assert merged["amount"] == 150
        assert {holder["id"] for holder in merged["holders"]} == {"A", "B"}
        assert merged["closed_on"] == "2027-02-01"
    assert merge([told, first])["amount"] == 100


def test_what_one_record_says_without_the_first_of_its_group_is_kept() -> None:
    own, other = documents(
        call("V", OWNER, duration_months=12, end_max="2028-01-01", deadlines=[
            {"kind": "question", "at": "2026-12-01T12:00"}]),
        call("26-1", RELAY, duration_months=12),
    )  # fmt: skip
    merged = merge([own, other])
    assert (merged["duration_months"], merged["end_max"]) == (12, "2028-01-01")
    assert {"duration_months", "end_max"} <= merged["provenance"].keys()
    assert merged["deadline"] == other["deadline"]
    assert [one.get("kind", "tender") for one in merged["deadlines"]] == ["tender", "question"]
    del other["deadline"], other["deadlines"]
    assert [one["kind"] for one in merge([own, other])["deadlines"]] == ["question"]


def test_nobody_ends_by_a_date_what_another_shows() -> None:
    open_call, relay = documents(call("V", OWNER), call("26-1", RELAY, expires="2026-12-01"))
    assert "expires" not in merge([open_call, relay])
    second = {**relay, "id": "x", "expires": "2027-01-01"}
    assert merge([relay, second])["expires"] == "2027-01-01"
    assert merge([{**open_call, "expires": "2026-11-01"}, relay])["expires"] == "2026-11-01"
    assert "expires" not in procedure([(open_call, "1"), (relay, "2")])


def test_an_end_that_the_owner_has_spoken_after_does_not_count() -> None:
    """Unless it names what came of it; and the owner's own does."""
    own, relay = documents(call("V", OWNER), call("26-1", RELAY))
    dropped = {**relay, "state": "closed", "outcome": "dropped", "closed_on": "2026-11-25",
               "updated_at": "2026-11-25T00:00:00.000000Z"}  # fmt: skip
    assert merge([own, dropped])["outcome"] == "dropped"
    later = {**own, "updated_at": "2026-11-26T00:00:00.000000Z"}
    assert merge([later, dropped])["state"] == "active"
    assert merge([later, {**dropped, "outcome": "awarded"}])["outcome"] == "awarded"
    closed = {**later, "state": "closed", "outcome": "unsuccessful", "closed_on": "2026-11-24"}
    assert merge([closed, dropped])["outcome"] == "unsuccessful"


def test_claims_stay_small_however_much_the_others_say() -> None:
    """A merged document has to fit in a message, whoever merges what with it."""
    lots = [{"number": str(number), "title": "Un lot"} for number in range(900)]
    told = documents(*(call(f"L{number}", OWNER, title="Voirie") for number in range(40)))
    records = [{**one, "lots": [*lots, {"number": one["id"]}]} for one in told]
    assert len(orjson.dumps(merge(records)["provenance"])) < 60_000
