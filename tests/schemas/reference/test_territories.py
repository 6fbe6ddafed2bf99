"""The territories of France: the cases that trip programs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traverse_schemas.reference.rows import Commune
from traverse_schemas.reference.territories import Territories
from traverse_schemas.values.place import is_territory
from traverse_schemas.values.siren import is_siren

T = Territories.load
AMP = "200054807"
COMMUNES = st.deferred(lambda: st.sampled_from(T().communes()))
"""Made once: hypothesis looks at all of what it draws from whenever it is told of it."""


def commune(insee: str) -> Commune:
    found = T().commune(insee)
    assert found is not None, insee
    return found


def codes(territory: str) -> tuple[str, ...]:
    chain = T().chain(territory)
    assert chain is not None, territory
    return chain.codes


def test_the_metropole_of_aix_marseille_has_92_communes_in_three_departements() -> None:
    epci = T().epci(AMP)
    assert epci is not None
    assert len(epci.members) == 92
    assert epci.departments == ("13", "84", "83")
    assert codes(f"epci:{AMP}") == (f"epci:{AMP}", "dep:13", "dep:84", "dep:83", "reg:93", "fr")


def test_13001_is_aix_for_insee_and_marseille_for_the_post() -> None:
    assert commune("13001").name == "Aix-en-Provence"
    assert [row.name for row in T().communes_of_postal("13001")] == ["Marseille"]
    assert codes("com:13001")[0] == "com:13001"
    assert codes("cp:13001")[:3] == ("cp:13001", "com:13201", "com:13055")


@pytest.mark.parametrize(
    ("insee", "present"),
    [
        ("13201", "13055"),  # Marseille 1er
        ("69381", "69123"),  # Lyon 1er
        ("75120", "75056"),  # Paris 20e
        ("20004", "2A004"),  # Ajaccio before 1976
        ("69232", "69123"),  # merged with Lyon in 1963
        ("01120", "01262"),  # a commune associée
        ("13055", "13055"),
        ("13999", None),
        ("", None),
    ],
)
def test_old_and_district_codes_lead_to_the_present_commune(
    insee: str, present: str | None
) -> None:
    assert T().resolve(insee) == present
    found = T().commune(insee)
    assert (found.insee if found else None) == present


def test_an_arrondissement_keeps_its_own_step() -> None:
    chain = T().chain("com:13201")
    assert chain is not None
    assert chain.name == "Marseille 1er Arrondissement"
    assert chain.codes == ("com:13201", "com:13055", f"epci:{AMP}", "dep:13", "reg:93", "fr")


@pytest.mark.parametrize(
    ("insee", "department", "region"),
    [
        ("2A004", "2A", "94"),
        ("2B033", "2B", "94"),
        ("97411", "974", "04"),
        ("97105", "971", "01"),
        ("97608", "976", "06"),
        ("97502", "975", "975"),
        ("98818", "988", "988"),
        ("29155", "29", "53"),  # Ouessant, in no EPCI
    ],
)
def test_corsica_overseas_and_islands(insee: str, department: str, region: str) -> None:
    assert codes(f"com:{insee}")[-3:] == (f"dep:{department}", f"reg:{region}", "fr")


def test_the_grand_paris_has_two_levels_of_epci() -> None:
    assert codes("com:93001") == (
        "com:93001",
        "epci:200057867",
        "epci:200054781",
        "dep:93",
        "reg:11",
        "fr",
    )
    assert "epci:200054781" in codes("epci:200057867")


def test_a_postal_code_of_several_communes_has_what_they_share() -> None:
    rows = T().communes_of_postal("13210")
    assert [row.name for row in rows] == ["Saint-Rémy-de-Provence"]
    several = T().communes_of_postal("51300")
    assert len(several) > 30
    assert several[0].name == "Vitry-le-François"
    assert codes("cp:51300")[-3:] == ("dep:51", "reg:44", "fr")
    assert T().communes_of_postal("99999") == ()


@pytest.mark.parametrize(
    ("siren", "kind", "territory"),
    [
        ("211300553", "commune", "com:13055"),
        (AMP, "epci", f"epci:{AMP}"),
        ("200046977", "epci", "epci:200046977"),  # Métropole de Lyon
        ("220300016", "department", "dep:03"),
        ("233500016", "region", "reg:53"),
    ],
)
def test_institutions_by_siren(siren: str, kind: str, territory: str) -> None:
    institution = T().by_siren(siren)
    assert institution is not None
    assert (institution.kind, institution.territory) == (kind, territory)


def test_a_commune_that_was_made_of_others_has_the_siren_of_today() -> None:
    """Saint-Denis, since Pierrefitte-sur-Seine joined it; the source has none of before (README of
    the data)."""
    found = T().by_siren("929939411")
    assert found is not None and found.territory == "com:93066"
    assert T().by_siren("219300662") is None


def test_an_unknown_siren_is_nobodys() -> None:
    assert T().by_siren("732829320") is None


@pytest.mark.parametrize(
    ("name", "department", "insee"),
    [
        ("SAINT REMY DE PROVENCE", "13", "13100"),
        ("St-Rémy-de-Provence", "13", "13100"),
        ("Ste-Foy-la-Grande", "33", "33402"),
        ("Marseille Cedex 02", "13", "13055"),
        ("MARSEILLE 8EME", "13", "13055"),
        ("CHATEAU CHINON (VILLE)", "58", "58062"),
        ("ARC LES GRAY", "70", "70026"),
        ("Mans", "72", "72181"),
        ("L HAY LES ROSES", "94", "94038"),
        ("Œuilly", "51", "51410"),
        ("Châlons-sur-Marne", "51", None),
        ("Marseille", "14", None),
        ("Marseille", "99", None),
        ("", "13", None),
    ],
)
def test_names_as_feeds_write_them(name: str, department: str, insee: str | None) -> None:
    found = T().find_commune(name, department)
    assert (found.insee if found else None) == insee


def test_what_the_tables_do_not_know_has_no_chain() -> None:
    for code in ("com:13999", "cp:99999", "epci:732829320", "dep:20", "reg:05", "zone:x", "x", ""):
        assert T().chain(code) is None, code
        assert not T().knows(code), code
    chain = T().chain("fr")
    assert chain is not None
    assert chain.codes == ("fr",)


@settings(max_examples=300)
@given(st.sampled_from(("com", "cp", "epci", "dep", "reg", "fr", "zone")), st.data())
def test_what_is_known_is_what_has_a_chain(level: str, data: st.DataObject) -> None:
    row = data.draw(COMMUNES)
    known = {
        "com": (row.insee, row.department + "001"),
        "cp": row.postal_codes,
        "epci": (row.epci or "",),
        "dep": (row.department,),
        "reg": (row.region,),
    }.get(level, ())
    for value in (*known, data.draw(st.from_regex(r"[0-9A-B]{2,9}", fullmatch=True)), ""):
        for code in (f"{level}:{value}", level):
            assert T().knows(code) == (T().chain(code) is not None), code


@settings(max_examples=300)
@given(st.data())
def test_every_level_of_a_chain_has_a_chain_within_it(data: st.DataObject) -> None:
    row = data.draw(COMMUNES)
    chain = T().chain(row.code)
    assert chain is not None
    assert chain.codes[-1] == "fr"
    for code in chain.codes:
        assert is_territory(code)
        above = T().chain(code)
        assert above is not None
        if not code.startswith("epci:"):  # an EPCI may reach into other départements
            assert set(above.codes) <= set(chain.codes)


def test_every_commune_is_on_the_map_and_every_siren_is_right() -> None:
    rows = T().communes()
    assert len(rows) == 34969
    assert sum(row.exact for row in rows) > 14_000
    for row in rows:
        assert -90 <= row.lat <= 90
        assert -180 <= row.lon <= 180
        assert row.siren is None or is_siren(row.siren)
        if len(row.department) == 2:
            assert 41 < row.lat < 51.2, row
            assert -5.3 < row.lon < 9.7, row


def test_coordinates_of_well_known_towns() -> None:
    for insee, lat, lon in (
        ("13055", 43.30, 5.38),
        ("75056", 48.86, 2.35),
        ("29019", 48.39, -4.49),
        ("97411", -20.88, 55.45),
        ("2A004", 41.92, 8.74),
        ("93066", 48.94, 2.36),
    ):
        row = commune(insee)
        assert row.exact
        assert abs(row.lat - lat) < 0.05, row
        assert abs(row.lon - lon) < 0.05, row


def test_arrondissements_have_their_own_place_on_the_map() -> None:
    insees = [*range(75101, 75121), *range(69381, 69390), *range(13201, 13217)]
    places = {(row.lat, row.lon) for insee in insees if (row := T().former(str(insee)))}
    assert len(places) == 45
    north, south = T().chain("cp:13015"), T().chain("com:13209")
    assert north is not None
    assert south is not None
    assert north.lat - south.lat > 0.05


def test_members_of_an_epci_say_the_same() -> None:
    for siren in (AMP, "200046977", "200054781"):
        epci = T().epci(siren)
        assert epci is not None
        assert all(commune(insee).epci == siren for insee in epci.members)
        assert epci.population == sum(commune(insee).population for insee in epci.members)
