"""Groupings as the search shows them: what the public may see, chosen and put in words."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from traverse_schemas.clock import clock_from
from traverse_schemas.documents.grouping import GroupingMessage
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.api_keys import new_api_key
from traverse_schemas.registry.institutions import Institution, Role, Scope
from traverse_schemas.registry.registry import FixedRegistry
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.app import create_app
from traverse_search_api.engines.elasticsearch_client import Index
from traverse_search_api.errors import InvalidCursorError
from traverse_search_api.groupings.errors import (
    GroupingsUnavailableError,
    MovedGroupingError,
    UnknownGroupingError,
)
from traverse_search_api.groupings.groupings import (
    GroupingParameters,
    answer,
    of_records,
    one,
    read_row,
)
from traverse_search_api.settings import SearchSettings

NOW = datetime(2027, 4, 1, 10, tzinfo=UTC)


def grouping(identity: str, **changes: Any) -> dict[str, Any]:
    """A grouping of two towns of the métropole, for defibrillators."""
    member = {"owner_kind": "commune", "title": "Défibrillateurs", "window": {}, "renewal": False}
    return {
        "id": identity,
        "layer": "public",
        "subject": "Défibrillateur",
        "reason": "Aix et Gardanne ont besoin de la même chose (défibrillateur)",
        "score": 0.9,
        "owners": 2,
        "members": [
            {"record": "a", "owner": "Aix", "siren": "211300017", "territory": "Aix", **member},
            {"record": "b", "owner": "Gardanne", "siren": "211300413", "territory": "G", **member},
        ],
        "cpv": ["33182100"],
        "themes": ["sante"],
        "within": ["epci:200054807", "dep:13", "reg:93", "fr"],
        "places": ["com:13001", "com:13041", "dep:13", "epci:200054807", "fr", "reg:93"],
        "window": {"from": "2027-02-01", "to": "2027-05-31"},
        "total": 53000.0,
        "unknown_amounts": 0,
        "lots": [],
        "coordinator": {"owner": "Aix", "reason": "son besoin est le plus important"},
        "state": "proposed",
        "interested": 0,
        "acts": [],
        "declined": [],
        "model": "m",
        **changes,
    }


def row(identity: str, **changes: Any) -> dict[str, Any]:
    """A message of the topic."""
    found = grouping(identity, **changes)
    return {"id": identity, "layer": found["layer"], "grouping": found}


def asked(
    rows: list[dict[str, Any]], reader: Reader = ANYBODY, **parameters: Any
) -> list[dict[str, Any]]:
    wanted = GroupingParameters.model_validate(parameters)
    found = answer(rows, wanted, NOW, Territories.load(), reader)  # type: ignore[arg-type]
    assert found["total"] == {"value": len(found["items"]), "exact": True}
    items: list[dict[str, Any]] = found["items"]
    return items


def test_a_grouping_is_shown_with_its_words_and_the_days_left() -> None:
    (item,) = asked([row("g")])
    assert item["status_label"] == "Proposition de groupement"
    assert item["days_left"] == 60
    assert "L.2113-6" in item["law"]
    assert "personne privée" not in item["law"]
    firm = {**grouping("g")["members"][0], "owner_kind": "other"}
    assert "personne privée" in asked([row("g", others=[firm])])[0]["law"]
    assert "layer" not in item


def test_from_the_day_after_a_record_expires_the_grouping_is_of_the_others() -> None:
    """Until nothing is left of it; what was signed stays."""
    rest = grouping("g", owners=2, total=40_000.0, expires="2027-05-15")
    whole = row("g", owners=3, total=53_000.0, expires="2027-04-01", after=rest)
    (item,) = asked([whole])
    assert (item["owners"], item["total"]) == (3, 53_000)
    assert not {"expires", "after"} & item.keys()
    for at, total in (("2027-04-02", 40_000), ("2027-05-15", 40_000)):
        moment = datetime.fromisoformat(f"{at}T10:00:00+00:00")
        found = one({"g": whole}, "g", moment)  # type: ignore[dict-item]
        assert (found["total"], found["status"]) == (total, "proposed")
    after = datetime(2027, 5, 16, 10, tzinfo=UTC)
    assert one({"g": whole}, "g", after)["status"] == "expired"  # type: ignore[dict-item]
    signed = row("g", state="constituted", expires="2027-03-01")
    assert one({"g": signed}, "g", NOW)["status"] == "constituted"  # type: ignore[dict-item]


def test_who_has_left_a_grouping_does_not_find_it() -> None:
    rest = grouping("g", members=grouping("g")["members"][1:])
    rows = [row("g", expires="2027-03-31", after=rest)]
    assert asked(rows, institution="211300413")
    assert not asked(rows, institution="211300017")
    assert not of_records(rows, ["a"], NOW)  # type: ignore[arg-type]
    assert of_records(rows, ["b"], NOW)  # type: ignore[arg-type]


def test_those_with_the_least_time_left_come_first() -> None:
    rows = [
        row("late", window={"to": "2027-09-30"}),
        row("open", window={}),
        row("soon", window={"to": "2027-04-15"}),
    ]
    assert [item["id"] for item in asked(rows)] == ["soon", "late", "open"]
    assert asked(rows)[2]["days_left"] is None


def test_a_cursor_leads_through_all_of_them() -> None:
    """Also where one that was shown is gone, or another has come, since."""
    rows = [
        row(f"g{number}", score=0.7 + number % 3 / 10, window={"to": f"2027-05-0{1 + number // 4}"})
        for number in range(11)
    ] + [row("open", window={})]
    whole = [item["id"] for item in asked(rows, size=100)]
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        wanted = GroupingParameters(size=3, cursor=cursor)
        found = answer(rows, wanted, NOW, Territories.load())  # type: ignore[arg-type]
        assert found["total"]["value"] == len(rows)
        seen += [item["id"] for item in found["items"]]
        cursor = found["next"]
        new = row(f"new{len(seen)}", window={"to": "2027-04-02"})
        rows = [*(one for one in rows if one["id"] != seen[-1]), new]
    assert (seen, cursor) == (whole, None)
    for wrong in ("x", "é", "W10", "e30", "bnVsbA"):
        with pytest.raises(InvalidCursorError):
            asked(rows, cursor=wrong)


def test_what_is_over_shows_only_when_asked_for() -> None:
    rows = [row("over", window={"to": "2027-03-31"})]
    assert asked(rows) == []
    (item,) = asked(rows, status="expired")
    assert item["status_label"] == "Échu"
    assert item["days_left"] == 0


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"territory": "com:13041"}, True),
        ({"territory": "dep:13"}, True),
        ({"territory": "dep:05"}, False),
        ({"theme": "sante,voirie"}, True),
        ({"theme": "voirie"}, False),
        ({"cpv": "3318"}, True),
        ({"cpv": "45"}, False),
        ({"institution": "211300413"}, True),
        ({"institution": "210500617"}, False),
    ],
)
def test_parameters_narrow(parameters: dict[str, Any], found: bool) -> None:
    assert bool(asked([row("g")], **parameters)) is found


def test_a_row_is_a_message_of_the_topic() -> None:
    assert read_row(orjson.dumps(row("g")))["id"] == "g"
    for octets in (b"no JSON", b"{}"):
        with pytest.raises(ValueError, match=r"column|identifiant"):
            read_row(octets)


@pytest.mark.parametrize(
    ("state", "window", "status", "label"),
    [
        ("convention", {}, "convention", "Convention à délibérer"),
        ("convention", {"to": "2027-03-31"}, "expired", "Échu"),
        ("constituted", {"to": "2027-03-31"}, "constituted", "Groupement constitué"),
    ],
)
def test_the_formal_steps_show(state: str, window: Any, status: str, label: str) -> None:
    (item,) = asked([row("g", state=state, window=window)], status=status)
    assert item["status_label"] == label
    assert "state" not in item


def test_who_could_join_finds_it_and_reads_what_the_members_said() -> None:
    joining = {"record": "c", "owner": "Marseille", "siren": "211300553", "stance": "interested",
               "owner_kind": "commune"}  # fmt: skip
    rows: list[Any] = [row("g", state="constituted", others=[joining])]
    (item,) = asked(rows, institution="211300553")
    assert [one["stance_label"] for one in item["others"]] == ["Intéressé"]
    assert [one["id"] for one in of_records(rows, ["c"], NOW)] == ["g"]
    known: dict[str, Any] = {f"{TAG}g": {**rows[0], "id": f"{TAG}g"}}
    with pytest.raises(MovedGroupingError):
        one(known, f"{TAG}c", NOW)


TAG = "0123abcd"


def test_an_id_leads_to_where_its_members_are() -> None:
    old, new = f"{TAG}a{'a' * 15}", f"{TAG}b{'b' * 15}"
    rows: dict[str, Any] = {
        new: row(new),
        old: {"id": old, "layer": "public", "moved_to": new},
        "hidden": row("hidden", layer="buyers"),
        "loop": {"id": "loop", "layer": "public", "moved_to": "loop"},
    }
    rows[new]["grouping"]["members"][0]["record"] = "c" * 16
    assert one(rows, new, NOW)["id"] == new
    for identity in (old, f"{TAG}{'c' * 16}"):
        with pytest.raises(MovedGroupingError) as moved:
            one(rows, identity, NOW)
        assert moved.value.identifier == new
    for identity in ("hidden", "loop", "nobody", f"ffffffff{'c' * 16}"):
        with pytest.raises(UnknownGroupingError):
            one(rows, identity, NOW)
    buyer = Reader(TOWN.siren, buyer=True)
    assert one(rows, "hidden", NOW, buyer)["id"] == "hidden"


def test_the_groupings_of_a_record_are_found() -> None:
    rows: list[Any] = [row("g"), row("h", layer="buyers"), row("o", window={"to": "2027-01-31"})]
    assert [item["id"] for item in of_records(rows, ["b"], NOW)] == ["g"]
    assert of_records(rows, ["z"], NOW) == []


class Rows:
    """Groupings in memory."""

    def __init__(self, *rows: dict[str, Any], away: bool = False) -> None:
        self._rows: dict[str, Any] = {each["id"]: each for each in rows}
        self._away = away

    def rows(self, patience: float = 0) -> Mapping[str, GroupingMessage]:
        if self._away:
            raise GroupingsUnavailableError
        return self._rows

    def close(self) -> None:
        self._rows = {}


KEY = new_api_key([Scope.READ], NOW)
TOWN = Institution(
    siren="211300553", name="Marseille", kind=InstitutionKind.COMMUNE, created=NOW,
    roles=frozenset({Role.BUYER}), api_keys=(KEY.key,),
)  # fmt: skip


def served(rows: Rows) -> Iterator[TestClient]:
    clock = clock_from("2027-04-01")
    app = create_app(
        SearchSettings(), clock=clock, present=clock, groupings=rows, registry=FixedRegistry([TOWN])
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


MOVED = {"id": "old", "layer": "public", "moved_to": "g"}


def test_the_service_answers() -> None:
    for client in served(Rows(row("g"), MOVED)):
        found = client.get("/v1/groupings", params={"territory": "com:13001"})
        assert found.status_code == 200
        assert [item["id"] for item in found.json()["items"]] == ["g"]
        assert client.get("/v1/groupings", params={"as_of": "2028-01-01"}).json()["items"] == []
        assert client.get("/v1/groupings/g").json()["id"] == "g"
        moved = client.get("/v1/groupings/old", follow_redirects=False)
        assert (moved.status_code, moved.headers["location"]) == (301, "/v1/groupings/g")
        assert client.get("/v1/groupings/none").status_code == 404
        assert client.get("/v1/groupings", params={"theme": "x"}).status_code == 422
        assert client.get("/v1/groupings", params={"territory": "x"}).status_code == 400


def test_each_sees_the_groupings_of_its_layer_and_no_other() -> None:
    """The widest layer that it reads has what the narrower ones have; beside it those that name
    the reader."""
    layers = ["public", "members", "buyers", "restricted:211300553", "restricted:200054807"]
    for client in served(Rows(*(row(layer, layer=layer) for layer in layers))):
        mine = {"Authorization": f"Bearer {KEY.secret}"}
        for headers, wanted in (({}, ["public"]), (mine, ["buyers", "restricted:211300553"])):
            found = client.get("/v1/groupings", headers=headers)
            assert [item["id"] for item in found.json()["items"]] == wanted
        assert client.get("/v1/groupings/buyers").status_code == 404
        assert client.get("/v1/groupings/buyers", headers=mine).json()["visibility"] == "buyers"
        assert client.get("/v1/groupings", headers={"Authorization": "x"}).status_code == 401


def test_without_kafka_the_service_says_so() -> None:
    for client in served(Rows(away=True)):
        found = client.get("/v1/groupings")
        assert found.status_code == 503
        assert found.headers["retry-after"]
        assert "leur journal ne répond pas" in found.json()["detail"]


async def _held(_: object, identifier: str) -> list[dict[str, Any] | None]:
    """The public index of the test below."""
    shown = {"id": "a" * 16, "visibility": "public", "stub": False}
    gone = {"id": "c" * 16, "stub": True}
    return [next((one for one in (shown, gone) if one["id"] == identifier), None)]


def test_an_ended_grouping_leads_to_the_record_that_named_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To who knows of that record, and whether or not others have a grouping for it."""
    monkeypatch.setattr(Index, "held", _held)
    for client in served(Rows(row(f"{TAG}{'a' * 16}", layer="buyers"))):
        for identity in (f"{TAG}{'a' * 16}", f"ffffffff{'a' * 16}", f"{TAG}{'c' * 16}"):
            ended = client.get(f"/v1/groupings/{identity}")
            assert (ended.status_code, ended.json()["title"]) == (410, "Terminé")
            assert f"/fiche/{identity[8:]}" in ended.json()["detail"]
        assert client.get(f"/v1/groupings/{TAG}{'e' * 16}").status_code == 404
