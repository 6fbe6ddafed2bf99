"""Text comes out as a person would have typed it."""

import pytest

from traverse_stream_processors.enriching.text import (
    clean_line,
    clean_name,
    clean_text,
    language_of,
)


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("RÃ©novation de lâ€™Ã©cole", "Rénovation de l’école"),
        ("<p>Voirie &amp; réseaux</p>", "Voirie & réseaux"),
        ("&lt;b&gt;Voirie&lt;/b&gt;", "Voirie"),
        ("Surface < 30 m² & plus", "Surface < 30 m² & plus"),
        ("  deux\u00a0 espaces \t", "deux espaces"),
        ("Âge d'or", "Âge d'or"),
        ("Voirie\x1b]0;titre\x07\x1b[2J\x9b", "Voirie ]0;titre [2J"),
        ("Voirie\ufffe du\uffff bourg", "Voirie du bourg"),
        ("RÉFECTION DE LA VOIRIE ET DU RÉSEAU AEP", "Réfection de la voirie et du réseau AEP"),
        ("TRAVAUX VRD DU LOT N°2 : CRÈCHE", "Travaux VRD du lot n°2 : Crèche"),
        ("MARCHÉ DE TRAVAUX 2019-MP", "Marché de travaux 2019-MP"),
        ("IRVE", "IRVE"),
        ("Re\u0301fection de l’e\u0301cole", "Réfection de l’école"),
        ("<p>Re&#769;fection</p>", "Réfection"),
        ("Achat d'un SIG pour la DDTM", "Achat d'un SIG pour la DDTM"),
    ],
)
def test_a_title_is_cleaned(dirty: str, clean: str) -> None:
    assert clean_line(dirty) == clean


def test_known_names_keep_their_capital_when_a_title_stops_shouting() -> None:
    assert (
        clean_line("ENTRETIEN DES ESPACES VERTS DE PORT-DE-BOUC", ["Port-de-Bouc"])
        == "Entretien des espaces verts de Port-de-Bouc"
    )


def test_scripts_go_with_what_they_hold() -> None:
    assert clean_text("<script>alert('x')</script>Bonjour") == "Bonjour"


def test_paragraphs_stay_apart() -> None:
    assert clean_text("<p>Un</p><p>Deux</p>\r\n\r\n\r\nTrois") == "Un\nDeux\nTrois"


def test_cleaning_twice_changes_nothing_more() -> None:
    for dirty in ("&lt;i&gt;A&lt;/i&gt; RÃ©f", "TRAVAUX DE TOITURE DU GYMNASE", "a < b"):
        once = clean_text(dirty)
        assert clean_text(once) == once


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Voirie", "fr"),
        ("", "fr"),
        ("Fourniture et pose de bornes de recharge pour véhicules électriques", "fr"),
        ("Supply and delivery of laboratory equipment to the university hospital", "en"),
    ],
)
def test_the_language_is_french_unless_something_else_is_certain(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("COMMUNE DE MARTIGUES", "Commune de Martigues"),
        ("METROPOLE D'AIX-MARSEILLE-PROVENCE", "Metropole d'Aix-Marseille-Provence"),
        ("CAISSE DES ÉCOLES DU 18E", "Caisse des Écoles du 18E"),
        ("SIVOM DE LA VALLÉE", "SIVOM de la Vallée"),
        ("INOVALYS", "INOVALYS"),
        ("Ville d'Arles", "Ville d'Arles"),
    ],
)
def test_a_name_that_shouts_gets_its_capitals_back(dirty: str, clean: str) -> None:
    assert clean_name(dirty, ["Martigues", "Métropole d'Aix-Marseille-Provence"]) == clean
