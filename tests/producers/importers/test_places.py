"""Places out of codes that are wrong in all real ways (the tables are the real ones)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traverse_producers.importers.place_names import commune_names, core
from traverse_producers.importers.places import Places
from traverse_schemas.reference.territories import Territories

PLACES = Places(Territories.load())
MARTIGUES = "21130056100015"  # the commune's SIREN (211300561) and an establishment
MARSEILLE_METROPOLE = "20005480700017"


@pytest.mark.parametrize(
    ("code", "kind", "name", "place"),
    [
        ("13500", "Code postal", "Martigues", "com:13056"),
        ("13500", "code postal", "", "cp:13500"),
        ("13001", "Code postal", "Marseille", "cp:13001"),
        ("13001", "Code commune", "Aix-en-Provence", "com:13001"),
        ("13001", "Code commune", "", "com:13001"),
        ("75105", "Code commune", "Paris 5e", "com:75105"),
        ("1004", "Code commune", "Ambérieu-en-Bugey", "com:01004"),
        ("13", "Code département", "", "dep:13"),
        ("078", "Code département", "", "dep:78"),
        ("974", "Code département", "", "dep:974"),
        ("53", "Code département", "Mayenne", "dep:53"),
        ("FRK26", "Code département", "Rhône", "dep:69"),
        ("93", "Code région", "", "reg:93"),
        ("101", "Code région", "Île-de-France", "reg:11"),
        ("FRA", "Code pays", "France", "fr"),
        ("20000", "Code postal", "Ajaccio", "com:2A004"),
        ("200054807", "Code postal", "", "epci:200054807"),
    ],
)
def test_a_code_is_read_as_its_type_says(code: str, kind: str, name: str, place: str) -> None:
    """Postal, INSEE, département, région and country codes, zeros lost or added."""
    assert PLACES.of_coded(code, kind, name, None) == place


def test_a_postal_code_under_the_wrong_type_is_told_by_the_name() -> None:
    """13001 as « Code commune » named Marseille is the postal code of its first arrondissement."""
    assert PLACES.of_coded("13001", "Code commune", "Marseille", None) == "cp:13001"
    assert PLACES.of_coded("13140", "Code commune", "MIRAMAS", None) == "com:13063"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("06364", "NICE CEDEX 4"),
        ("06364", "Ville de Nice"),
        ("06364", "5 rue de l'Essai 06364 Nice Cedex 4"),
        ("06", "nice"),
    ],
)
def test_a_cedex_is_found_by_name(code: str, name: str) -> None:
    """A postal code that serves no commune gives the commune named, in its département."""
    assert PLACES.of_coded(code, "Code postal", name, None) == "com:06088"


@pytest.mark.parametrize(
    ("code", "kind", "name", "buyer", "place"),
    [
        ("13799", "Code postal", "Divers sites", MARTIGUES, "com:13056"),
        ("13799", "Code postal", "Divers sites", None, "dep:13"),
        ("06799", "Code postal", "Divers sites", MARTIGUES, "dep:06"),
        ("INO", "Code commune", "Un peu partout", MARSEILLE_METROPOLE, "epci:200054807"),
        ("4600", "Code postal", "Ville de Martigues", MARTIGUES, "com:13056"),
        ("", "", "", MARTIGUES, "com:13056"),
        ("DEP", "Code commune", "Toutes les communes de Loire-Atlantique", None, "dep:44"),
        ("3", "Code région", "Tout le patrimoine", None, "fr"),
        ("", "", "", None, "fr"),
        ("XX", "Code inconnu", "Ailleurs", "12345678900000", "fr"),
    ],
)
def test_a_record_is_never_lost_for_its_place(
    code: str, kind: str, name: str, buyer: str | None, place: str
) -> None:
    """Then: the buyer's own territory when it is in that département, the département, France."""
    assert PLACES.of_coded(code, kind, name, buyer) == place


@given(
    st.text(alphabet="0123456789AB ", max_size=10),
    st.sampled_from(["Code postal", "Code commune", "Code département", "Code région", ""]),
    st.text(max_size=20),
)
def test_every_answer_is_a_known_territory(code: str, kind: str, name: str) -> None:
    """Whatever the three fields hold, the place is one that the tables know."""
    assert Territories.load().chain(PLACES.of_coded(code, kind, name, None)) is not None


def test_the_departement_of_a_subsidy_wins_over_the_seat() -> None:
    """A beneficiary seated elsewhere: the project is in the département of the row."""
    assert PLACES.of_commune("74012", "ANNEMASSE", "01", None) == "dep:01"
    assert PLACES.of_commune("01004", "AMBERIEU", "01", None) == "com:01004"


def test_a_row_without_commune_is_where_its_beneficiary_governs() -> None:
    """The métropole's own territory, when it reaches the département; else the département."""
    assert PLACES.of_commune("", "", "13", MARSEILLE_METROPOLE) == "epci:200054807"
    assert PLACES.of_commune("", "", "44", MARSEILLE_METROPOLE) == "dep:44"


def test_sites_and_addresses() -> None:
    """A named site or a postal address gives its commune, else its département."""
    assert PLACES.of_site("Nice.", "06") == "com:06088"
    assert PLACES.of_site("13500 Martigues", "13") == "com:13056"
    assert PLACES.of_site("Sur tout le réseau", "13") is None
    assert PLACES.of_address("06364", "Nice Cedex 4") == "com:06088"
    assert PLACES.of_address("06364", "Quelque part") == "dep:06"
    assert PLACES.of_address("L-2925", "Luxembourg") is None


def test_words_around_names() -> None:
    """What surrounds a commune's or a département's name is taken off."""
    assert "villeurbanne" in commune_names("Mairie de Villeurbanne")
    assert "ROUBAIX" in commune_names("17 Grand Place 59066 ROUBAIX")
    assert core("Département de la Loire-Atlantique") == "loire atlantique"
