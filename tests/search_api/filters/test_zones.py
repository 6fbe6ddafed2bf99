"""An operator's zones are places like others; a fault in the file is one sentence."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from traverse_search_api.errors import SearchError
from traverse_search_api.filters.territory_query import nearness, resolve_place, territory_filter
from traverse_search_api.filters.zones import load_territories
from traverse_search_api.text.plan import plan_of


def file(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "zones.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_zone_is_its_communes_and_what_covers_them(tmp_path: Path) -> None:
    """Old codes give the present commune; the EPCI, département and région apply to it."""
    zones = {"pays-d-aix": {"name": "Pays d'Aix", "communes": ["13001", "13026", "13001"]}}
    territories = load_territories(file(tmp_path, zones))
    place = resolve_place("zone:pays-d-aix", territories)
    assert place.codes == ("zone:pays-d-aix", "com:13001", "com:13026")
    assert {"epci:200054807", "dep:13", "reg:93", "fr"} <= set(place.applying)
    query = territory_filter(("zone:pays-d-aix",), "within", territories)
    assert {"terms": {"zones": ["pays-d-aix"]}} in query["bool"]["should"]
    assert nearness(("zone:pays-d-aix",), territories)
    chain = territories.chain("zone:pays-d-aix")
    assert chain is not None and chain.name == "Pays d'Aix"


@pytest.mark.parametrize("asked", ["com:13001", "com:13201", "cp:13100", "zone:small"])
def test_what_is_for_a_zone_applies_to_what_lies_in_it(tmp_path: Path, asked: str) -> None:
    """A commune, an arrondissement of one, a postal code, another zone; located there it is not."""
    zones = {"big": {"communes": ["13001", "13055", "13026"]}, "small": {"communes": ["13001"]},
             "other": {"communes": ["13026"]}}  # fmt: skip
    territories = load_territories(file(tmp_path, zones))
    assert "zone:other" not in resolve_place(asked, territories).applying
    applies = territory_filter((asked,), "applies", territories)["bool"]["should"]
    assert "zone:big" in next(one["terms"]["covers"] for one in applies if "covers" in one["terms"])
    assert "big" in next(one["terms"]["zones"] for one in applies if "zones" in one["terms"])
    assert "big" not in str(territory_filter((asked,), "within", territories))


@pytest.mark.parametrize("asked", ["dep:13", "reg:93", "epci:200054807", "zone:around"])
@pytest.mark.parametrize("reach", ["within", "applies"])
def test_a_zone_lies_in_what_holds_all_of_it(tmp_path: Path, asked: str, reach: str) -> None:
    """A département, a région, an EPCI, another zone: by the place or the zones of a record; one
    that reaches farther does not."""
    zones = {"inner": {"communes": ["13001", "13055"]},
             "around": {"communes": ["13001", "13055", "13026"]},
             "farther": {"communes": ["13001", "75056"]}}  # fmt: skip
    territories = load_territories(file(tmp_path, zones))
    found = territory_filter((asked,), reach, territories)["bool"]["should"]
    assert "zone:inner" in next(one["terms"]["within"] for one in found if "within" in one["terms"])
    assert "inner" in next(one["terms"]["zones"] for one in found if "zones" in one["terms"])
    assert "farther" not in str(found)
    assert "inner" not in str(territory_filter(("com:13001",), "within", territories))
    # How near something lies does not count zones: there may be hundreds in a région.
    assert "inner" not in str(nearness((asked,), territories))


def test_a_zone_lies_in_what_is_said_in_words(tmp_path: Path) -> None:
    zones = {"inner": {"communes": ["13001", "13055"]}}
    territories = load_territories(file(tmp_path, zones))
    plan = plan_of("voirie 13", territories, {}, datetime(2026, 3, 12, tzinfo=UTC))
    (meant,) = plan.understood
    assert {"terms": {"zones": ["inner"]}} in meant.query["bool"]["should"]
    assert "zone:inner" in str(meant.query)


def test_a_zone_applies_to_an_epci_only_where_it_holds_all_of_it(tmp_path: Path) -> None:
    epci = load_territories(None).epci("200054807")
    assert epci is not None
    zones = {"whole": {"communes": list(epci.members)}, "less": {"communes": epci.members[1:]}}
    territories = load_territories(file(tmp_path, zones))
    applying = resolve_place("epci:200054807", territories).applying
    assert "zone:whole" in applying and "zone:less" not in applying


def test_a_zone_that_nobody_loaded_is_still_found_by_its_name() -> None:
    """Records may name zones themselves."""
    assert resolve_place("zone:qpv-nord", load_territories(None)).codes == ("zone:qpv-nord",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([], "objet JSON"),
        ({"Été": {"communes": ["13001"]}}, "minuscules"),
        ({"a": {"communes": []}}, "liste « communes »"),
        ({"a": {"communes": ["99999"]}}, "n’existe pas"),
    ],
)
def test_each_fault_is_a_sentence(tmp_path: Path, content: Any, words: str) -> None:
    with pytest.raises(SearchError, match=words):
        load_territories(file(tmp_path, content))


def test_an_absent_file_names_its_setting(tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="TRAVERSE_ZONES"):
        load_territories(tmp_path / "absent.json")
