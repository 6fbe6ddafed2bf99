"""Rounds of the benchmark's events: other things, that hang together as the first ones did."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from traverse_infra.bench.load import read_load, retold
from traverse_infra.bench.retell import Round
from traverse_infra.training import states_of_events
from traverse_schemas.reference.territories import Territories
from traverse_schemas.values.siren import is_siren, is_siret
from traverse_stream_processors.linking.features import features_of
from traverse_stream_processors.linking.linker import Linker

SIREN = "181300013"
CALL: dict[str, Any] = {
    "title": "Réfection de la voirie, quartier Jaurès",
    "references": ["2021/S 005-008441", "20210001230099"],
    "url": "https://example.org/avis/1",
    "owner": {"id": "21130055300016", "name": "VILLE DE MARSEILLE"},
    "place": ["com:13055", "dep:13", "reg:93", "fr"],
    "amounts": [{"value": 100.0, "kind": "estimate"}],
    "deadlines": [{"at": "2024-02-29T12:00", "kind": "tender"}],
    "holders": [{"id": "99940220900012"}],
    "joint": {"coordinator": "211300553", "members": ["211300413"]},
    "location": {"lat": 43.3, "lon": 5.4},
}


def told(number: int, data: Any = CALL) -> Any:
    return Round(number).data(data, "8441-2021", SIREN)


def test_the_first_round_is_as_it_was() -> None:
    assert told(0) == CALL
    assert Round(0).subject("8441-2021") == "8441-2021"


def test_another_round_is_of_another_thing_at_the_same_time() -> None:
    """Another owner, place, reference and sum; the dates, the holders and what words mean stay."""
    found = told(3)
    for name in ("title", "references", "url", "owner", "place", "amounts", "joint"):
        assert found[name] != CALL[name], name
    assert found["deadlines"] == CALL["deadlines"]
    assert found["holders"] == CALL["holders"]
    assert found["title"].startswith("Réfection de la voirie, quartier ")
    assert is_siret(found["owner"]["id"])
    assert found["owner"]["kind"] == "commune"
    assert "location" not in found


def test_what_was_equal_or_within_stays_so() -> None:
    """Owner and coordinator, commune and département, notice and reference to it."""
    for number in (1, 40, 250):
        found = told(number)
        assert found["joint"]["coordinator"] == found["owner"]["id"][:9]
        commune, department, region, _ = found["place"]
        assert region.startswith("reg:")
        chain = Territories.load().chain(commune)
        assert chain is not None
        assert department in chain.codes
        journal = found["references"][0].rpartition("-")[2]
        assert Round(number).subject("008441-2021") == f"{journal}-2021"
        assert found["references"][1].startswith("2021")
        assert found["references"][1].endswith("99")


def test_rounds_differ_from_one_another() -> None:
    whole = [told(number) for number in range(60)]
    for name in ("owner", "place", "references", "url"):
        assert len({orjson.dumps(one[name]) for one in whole}) == 60, name


def test_who_spoke_for_itself_is_told_as_owner() -> None:
    """Whoever says it stays who it was: the owner, and its number of the record, become claims."""
    found = told(2, {"title": "Salle", "place": ["fr"]})
    assert is_siren(found["owner"]["id"])
    assert found["owner"]["id"] != SIREN
    assert found["references"] == [Round(2).subject("8441-2021")]


def test_an_owner_without_a_number_is_another_by_its_name() -> None:
    """Whoever reads only names tells "EDF" of one round from that of the next."""
    found = told(2, {**CALL, "owner": {"name": "Commune EDF"}})
    assert found["owner"]["name"].startswith("Commune ")
    assert found["owner"]["name"] != "Commune EDF"


def test_an_end_is_told_of_the_same_record() -> None:
    closed = {"outcome": "awarded", "amount": {"value": 10, "kind": "awarded"}, "record": CALL}
    found = told(5, closed)
    assert found["record"] == told(5)
    assert found["amount"]["value"] != 10
    assert told(5, None) is None


@given(st.integers(1, 900), st.lists(st.from_regex(r"[A-Z]?[0-9]{1,9}(-2021)?", fullmatch=True)))
def test_references_stay_apart(number: int, references: list[str]) -> None:
    # A number that begins like a year may stand where another does: by chance, of millions.
    apart = {one for one in references if one.strip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")[0] not in "12"}
    assert len({Round(number).subject(one) for one in apart}) == len(apart)


@lru_cache(maxsize=1)
def rounds() -> list[list[bytes]]:
    """The demonstration's events in three rounds."""
    events = read_load(None).events
    return [
        [orjson.dumps(retold(one, Round(number), f"b{number}")) for one in events]
        for number in (0, 1, 77)
    ]


def linked(octets: list[bytes]) -> Linker:
    linker = Linker()
    for state in states_of_events(octets):
        linker.put(state["id"], features_of(state))
    return linker


def joins(linker: Linker) -> int:
    return sum(judgement.joins for _, judgement in linker.every_link())


def test_as_many_records_join_in_a_round_as_in_the_first_and_none_across() -> None:
    """And every event that is accepted is accepted in each round."""
    first = linked(rounds()[0])
    whole = linked([one for octets in rounds() for one in octets])
    assert joins(first) >= 4
    assert joins(whole) == 3 * joins(first)
    assert len(whole.book) == 3 * len(first.book)
    assert joins(linked(rounds()[1])) == joins(first)


def test_no_date_is_beyond_those_of_the_events() -> None:
    last = max(str(datetime.fromisoformat(one["time"]).astimezone(UTC)) for one in _events(0))
    assert (
        max(str(datetime.fromisoformat(one["time"]).astimezone(UTC)) for one in _events(2)) == last
    )


def _events(place: int) -> list[dict[str, Any]]:
    return [orjson.loads(one) for one in rounds()[place]]
