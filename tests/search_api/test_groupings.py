"""Groupings as the search shows them: what the public may see, chosen and put in words."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient

from traverse_schemas.api_keys import new_api_key
from traverse_schemas.clock import clock_from
from traverse_schemas.grouping import Grouping
from traverse_schemas.institutions import Institution, Role, Scope
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry import FixedRegistry
from traverse_search_api.app import create_app
from traverse_search_api.errors import GroupingsUnavailableError
from traverse_search_api.groupings import GroupingParameters, answer, read_row
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
        "model": "m",
        **changes,
    }


def asked(rows: list[dict[str, Any]], **parameters: Any) -> list[dict[str, Any]]:
    wanted = GroupingParameters.model_validate(parameters)
    found = answer(rows, wanted, NOW, Territories.load())  # type: ignore[arg-type]
    assert found["total"] == {"value": len(found["items"]), "exact": True}
    items: list[dict[str, Any]] = found["items"]
    return items


def test_a_grouping_is_shown_with_its_words_and_the_days_left() -> None:
    (item,) = asked([grouping("g")])
    assert item["status_label"] == "Proposition de groupement"
    assert item["days_left"] == 60
    assert "L.2113-6" in item["law"]
    assert "layer" not in item


def test_those_with_the_least_time_left_come_first() -> None:
    rows = [
        grouping("late", window={"to": "2027-09-30"}),
        grouping("open", window={}),
        grouping("soon", window={"to": "2027-04-15"}),
    ]
    assert [item["id"] for item in asked(rows)] == ["soon", "late", "open"]
    assert asked(rows)[2]["days_left"] is None


def test_what_is_over_shows_only_when_asked_for() -> None:
    rows = [grouping("over", window={"to": "2027-03-31"})]
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
def test_parameters_narrow(parameters: dict[str, str], found: bool) -> None:
    assert bool(asked([grouping("g")], **parameters)) is found


def test_a_row_without_a_layer_is_none() -> None:
    """It could be shown to anybody."""
    message = {"id": "g", "layer": "buyers", "state": "proposed", "grouping": grouping("g")}
    assert read_row(orjson.dumps(message))["layer"] == "public"
    wrongs: list[Any] = [{}, {**message, "grouping": {"id": "g"}}, []]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="layer"):
            read_row(orjson.dumps(wrong))
    with pytest.raises(ValueError, match="column"):
        read_row(b"no JSON")


class Rows:
    """Groupings in memory."""

    def __init__(self, *rows: dict[str, Any], away: bool = False) -> None:
        self._rows: dict[str, Any] = {row["id"]: row for row in rows}
        self._away = away

    def rows(self) -> Mapping[str, Grouping]:
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


def test_the_service_answers() -> None:
    for client in served(Rows(grouping("g"))):
        found = client.get("/v1/groupings", params={"territory": "com:13001"})
        assert found.status_code == 200
        assert [item["id"] for item in found.json()["items"]] == ["g"]
        assert client.get("/v1/groupings", params={"as_of": "2028-01-01"}).json()["items"] == []
        assert client.get("/v1/groupings", params={"theme": "x"}).status_code == 422
        assert client.get("/v1/groupings", params={"territory": "x"}).status_code == 400


def test_each_sees_the_groupings_of_its_layer_and_no_other() -> None:
    """The widest layer that it reads has what the narrower ones have; beside it those that name
    the reader."""
    layers = ["public", "members", "buyers", "restricted:211300553", "restricted:200054807"]
    for client in served(Rows(*(grouping(layer, layer=layer) for layer in layers))):
        mine = {"Authorization": f"Bearer {KEY.secret}"}
        for headers, wanted in (({}, ["public"]), (mine, ["buyers", "restricted:211300553"])):
            found = client.get("/v1/groupings", headers=headers)
            assert [item["id"] for item in found.json()["items"]] == wanted
        assert client.get("/v1/groupings", headers={"Authorization": "x"}).status_code == 401


def test_without_kafka_the_service_says_so() -> None:
    for client in served(Rows(away=True)):
        found = client.get("/v1/groupings")
        assert found.status_code == 503
        assert found.headers["retry-after"]
        assert "Kafka" in found.json()["detail"]
