"""Enrichment: what the reference tables add to what a record says."""

from datetime import date, datetime
from functools import partial
from typing import Any

import pytest

from tests.stream_processors.factory import RECEIVED, call_data, event, octets
from traverse_schemas.documents.document import Content
from traverse_schemas.documents.status import Status, status_of
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.reference.institutions import Institution, Institutions
from traverse_schemas.reference.territories import Territories
from traverse_stream_processors.enriching.enrich import add_months, enrich
from traverse_stream_processors.validating.validate import validate

CHAMBER = Institution("181300013", "CCI Aix-Marseille-Provence", InstitutionKind.CHAMBER)


def enriched(**changes: Any) -> dict[str, Any]:
    """The content of a call with these changes."""
    return content_of(event(data=call_data(**changes)))


def content_of(whole: dict[str, Any]) -> dict[str, Any]:
    territories = Territories.load()
    apply = partial(
        enrich,
        territories=territories,
        institutions=Institutions(territories, {CHAMBER.siren: CHAMBER}),
    )
    found: Content | None = apply(validate(octets(whole), RECEIVED, territories))
    assert found is not None
    return dict(found)


def test_a_place_is_known_at_every_level() -> None:
    found = enriched()
    assert found["within"] == ["com:13040", "epci:200054807", "dep:13", "reg:93", "fr"]
    assert found["covers"] == ["com:13040"]
    assert found["territory"] == {
        "code": "com:13040",
        "name": "Fuveau",
        "level": "com",
        "epci": "Métropole d'Aix-Marseille-Provence",
        "department": "Bouches-du-Rhône",
        "region": "Provence-Alpes-Côte d'Azur",
    }
    assert found["location"]["lat"] == pytest.approx(43.45, abs=0.05)


def test_the_eligible_area_is_covered_and_not_lain_in() -> None:
    found = enriched(eligible_area=["reg:93"])
    assert found["covers"] == ["com:13040", "reg:93"]
    assert found["within"] == enriched()["within"]


def test_a_postal_code_stands_for_its_communes() -> None:
    found = enriched(place=["cp:13710"])
    assert "com:13040" in found["within"]
    assert "dep:13" in found["within"]
    assert found["place"] == ["cp:13710"]


def test_france_and_an_unknown_zone_have_no_point() -> None:
    assert "location" not in enriched(place=["fr"])
    zone = enriched(place=["zone:val-de-durance"])
    assert "location" not in zone
    assert zone["within"] == ["zone:val-de-durance"]
    assert zone["territory"]["level"] == "zone"


def test_the_point_of_the_record_wins() -> None:
    assert enriched(location={"lat": 43.5, "lon": 5.5})["location"] == {"lat": 43.5, "lon": 5.5}


def test_the_owner_is_the_claim_and_who_says_it_comes_beside() -> None:
    found = enriched()
    owner, source = found["institutions"]
    assert owner["role"] == "owner"
    assert owner["siren"] == found["owner_siren"] == "211300405"
    assert owner["name"] == "Commune de Fuveau"
    assert owner["kind"] == found["owner_kind"] == "commune"
    assert source == {**source, "role": "source", "name": CHAMBER.name, "kind": "chamber"}


def test_without_a_claim_the_source_is_the_owner() -> None:
    found = enriched(owner=None)
    assert [one["role"] for one in found["institutions"]] == ["owner"]
    assert found["institutions"][0]["name"] == CHAMBER.name
    assert "owner_id" not in found


def test_a_name_in_capitals_gives_way_to_the_reference_name() -> None:
    shouted = enriched(owner={"id": "211300405", "name": "COMMUNE DE FUVEAU"})
    assert (
        shouted["institutions"][0]["name"]
        == enriched(owner={"id": "211300405"})["institutions"][0]["name"]
    )
    assert not shouted["institutions"][0]["name"].isupper()


@pytest.mark.parametrize(
    ("owner", "flags"),
    [
        ({"id": "211300406", "name": "Fuveau"}, ["owner_number_invalid"]),
        ({"id": "21130040500016", "name": "Fuveau"}, ["owner_number_invalid"]),
        ({"id": "732829320"}, ["owner_name_unknown"]),
        ({"name": "Association des riverains"}, None),
        ({"id": "211300405"}, None),
    ],
)
def test_what_is_odd_about_an_owner_is_flagged_and_kept(
    owner: dict[str, str], flags: list[str] | None
) -> None:
    found = enriched(owner=owner)
    assert found.get("flags") == flags
    if "id" in owner:
        assert found["owner_id"] == owner["id"]


def test_cpv_labels_go_up_to_the_division() -> None:
    found = enriched()
    assert found["cpv"] == ["45233140"]
    assert found["cpv_within"][-1] == "45000000"
    assert found["cpv_labels"][0] == "Travaux routiers"
    assert found["cpv_labels"][-1] == "Travaux de construction"
    assert found["themes"] == ["voirie"]


def test_the_codes_of_the_lots_count() -> None:
    found = enriched(cpv=None, lots=[{"number": "1", "cpv": ["45233140"]}])
    assert found["cpv"] == ["45233140"]


def test_themes_are_the_publishers_then_of_cpv_then_of_the_words() -> None:
    assert enriched(themes=["eau"])["themes"] == ["eau"]
    assert enriched(themes=["inconnu"])["themes"] == ["voirie"]
    assert "voirie" in enriched(cpv=None)["themes"]


@pytest.mark.parametrize(
    ("amounts", "shown"),
    [
        ([{"value": 5, "kind": "estimate"}, {"value": 7, "kind": "awarded"}], 7),
        ([{"value": 5, "kind": "maximum"}, {"value": 3, "kind": "estimate"}], 3),
        ([{"value": 1, "kind": "subsidy"}, {"value": 9, "kind": "cost"}], 9),
        ([{"value": 5, "kind": "estimate"}, {"value": 6, "kind": "estimate"}], 5),
        (None, None),
    ],
)
def test_one_sum_stands_for_the_record(
    amounts: list[dict[str, Any]] | None, shown: float | None
) -> None:
    assert enriched(amounts=amounts).get("amount") == shown


def test_a_deadline_is_an_instant_and_a_bare_date_is_flagged() -> None:
    hour = enriched(deadlines=[{"at": "2026-12-18T12:00"}])
    assert hour["deadline"]["until"] == "2026-12-18T11:00:00.000000Z"
    assert "flags" not in hour
    day = enriched(deadlines=[{"at": "2026-12-18"}])
    assert day["deadline"]["until"] == "2026-12-18T23:00:00.000000Z"
    assert day["flags"] == ["deadline_hour_unknown"]


def test_overseas_the_hour_is_that_of_the_zone() -> None:
    found = enriched(deadlines=[{"at": "2026-12-18T12:00", "zone": "Indian/Reunion"}])
    assert found["deadline"]["until"] == "2026-12-18T08:00:00.000000Z"


def test_the_last_deadline_to_answer_counts_and_questions_do_not() -> None:
    found = enriched(
        deadlines=[
            {"at": "2026-12-18T12:00"},
            {"at": "2026-12-20T12:00"},
            {"at": "2026-12-24T12:00", "kind": "question"},
        ]
    )
    assert found["deadline"]["until"].startswith("2026-12-20")
    assert len(found["deadlines"]) == 3


def lot(number: str, at: str, **more: Any) -> dict[str, Any]:
    return {"number": number, "deadline": {"at": at, **more.pop("deadline", {})}, **more}


def test_a_call_by_lots_is_open_until_the_last_of_them_closes() -> None:
    """Where its deadlines are its lots' alone, and where one of them has more time than the rest;
    a lot that has ended keeps nothing open."""
    lots = [lot("1", "2026-12-10T12:00"), lot("2", "2026-12-20T12:00"),
            lot("3", "2026-12-30T12:00", outcome="dropped"),
            lot("4", "2026-12-24T12:00", deadline={"kind": "question"})]  # fmt: skip
    for own in (None, [{"at": "2026-12-01T12:00"}]):
        found = enriched(deadlines=own, lots=lots)
        assert found["deadline"]["until"].startswith("2026-12-20T11:00")
    for day, status in (("05", Status.OPEN), ("15", Status.CLOSING_SOON),
                        ("21", Status.UNDER_REVIEW)):  # fmt: skip
        as_of = datetime.fromisoformat(f"2026-12-{day}T12:00:00+00:00")
        assert status_of(found, as_of) is status
    later = enriched(deadlines=[{"at": "2026-12-31T12:00"}], lots=lots)
    assert later["deadline"]["until"].startswith("2026-12-31")
    ended = enriched(deadlines=None, lots=[{**one, "outcome": "awarded"} for one in lots])
    assert ended["deadline"]["until"].startswith("2026-12-30")


def test_a_bare_deadline_of_a_lot_is_flagged_and_in_the_buyers_zone() -> None:
    found = enriched(place=["dep:974"], owner={"name": "Ville"}, deadlines=None,
                     lots=[lot("1", "2026-12-10")])  # fmt: skip
    assert found["deadline"]["until"].startswith("2026-12-10T20:00")
    assert found["lots"][0]["deadline"]["zone"] == "Indian/Reunion"
    assert found["flags"] == ["deadline_hour_unknown"]


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({"notified": "2026-01-31", "duration_months": 1}, "2026-02-28"),
        ({"notified": "2024-01-31", "duration_months": 1}, "2024-02-29"),
        ({"notified": "2026-03-15", "duration_months": 48}, "2030-03-15"),
        ({"end_max": "2028-01-01", "notified": "2026-03-15", "duration_months": 48}, "2028-01-01"),
        ({"notified": "2026-03-15"}, None),
    ],
)
def test_the_latest_end_is_said_or_counted(changes: dict[str, Any], end: str | None) -> None:
    assert enriched(**changes).get("end_max") == end


def test_months_are_added_over_the_year() -> None:
    assert add_months(date(2026, 12, 31), 2) == date(2027, 2, 28)
    assert add_months(date(2026, 5, 31), 1) == date(2026, 6, 30)


def test_a_shouting_title_calms_down_and_keeps_the_names_around_it() -> None:
    found = enriched(title="RÉFECTION DE LA VOIRIE DE FUVEAU")
    assert found["title"] == "Réfection de la voirie de Fuveau"


def test_a_withdrawal_has_no_content() -> None:
    territories = Territories.load()
    accepted = validate(octets(event("withdrawn")), RECEIVED, territories)
    found = enrich(accepted, territories=territories, institutions=Institutions(territories, {}))
    assert found is None


@pytest.mark.parametrize(
    ("place", "owner", "until", "zone"),
    [
        (["com:97105"], {"id": "219711058"}, "2026-12-19T04:00", "America/Guadeloupe"),
        (["dep:974"], {"name": "Commune de Saint-Denis"}, "2026-12-18T20:00", "Indian/Reunion"),
        (["reg:04"], {"name": "Région Réunion"}, "2026-12-18T20:00", "Indian/Reunion"),
        (["cp:97133"], {"name": "Collectivité"}, "2026-12-19T04:00", "America/St_Barthelemy"),
        (["com:98818"], {"name": "Nouméa"}, "2026-12-18T13:00", "Pacific/Noumea"),
        # A buyer of the mainland reads its own clock, wherever the thing is.
        (["dep:974"], {"id": "211300405"}, "2026-12-18T23:00", "Europe/Paris"),
        (["fr"], {"name": "Un ministère"}, "2026-12-18T23:00", "Europe/Paris"),
    ],
)
def test_a_deadline_without_a_zone_is_in_the_buyers(
    place: list[str], owner: dict[str, str], until: str, zone: str
) -> None:
    found = enriched(place=place, owner=owner, deadlines=[{"at": "2026-12-18"}])
    deadline = found["deadline"]
    assert (deadline["until"][:16], deadline["zone"], deadline["precision"]) == (until, zone, "day")
    assert found["deadlines"][0].get("zone", "Europe/Paris") == zone


def test_a_zone_or_an_offset_that_is_written_counts() -> None:
    overseas: dict[str, Any] = {"place": ["com:97105"], "owner": {"id": "219711058"}}
    found = enriched(**overseas, deadlines=[{"at": "2026-12-18T12:00"}])
    assert found["deadline"]["until"][:16] == "2026-12-18T16:00"
    found = enriched(**overseas, deadlines=[{"at": "2026-12-18T12:00", "zone": "Europe/Paris"}])
    assert (found["deadline"]["until"][:16], found["deadline"]["zone"]) == (
        "2026-12-18T11:00", "Europe/Paris")  # fmt: skip
    found = enriched(**overseas, deadlines=[{"at": "2026-12-18T12:00+01:00"}])
    assert (found["deadline"]["until"][:16], found["deadline"]["zone"]) == (
        "2026-12-18T11:00", "America/Guadeloupe")  # fmt: skip


def test_a_call_of_a_morning_overseas_may_end_the_same_day() -> None:
    """Noon in Guadeloupe is five in the afternoon in Paris: not before it was published."""
    data = call_data(place=["dep:971"], owner={"name": "Région Guadeloupe"},
                     deadlines=[{"at": "2026-11-20T12:00"}])  # fmt: skip
    found = content_of(event(time="2026-11-20T13:00:00Z", data=data))
    assert found["deadline"]["until"][:16] == "2026-11-20T16:00"
