"""Labels of the CPV nomenclature, and the themes that codes and words tell."""

import pytest

from traverse_schemas.reference.cpv import cpv_label, cpv_labels_up, cpv_table
from traverse_schemas.reference.theme_cpv import _PREFIXES, THEME_OF_CPV
from traverse_schemas.reference.theme_words import _WORDS, WORDS
from traverse_schemas.reference.themes import (
    THEMES,
    theme_of_cpv,
    themes_of_cpv,
    themes_of_text,
    themes_of_words,
)


def test_labels() -> None:
    assert len(cpv_table()) == 9454
    assert cpv_label("45233140") == "Travaux routiers"
    assert cpv_label("45233149") is None
    labels = cpv_labels_up("45233140")
    assert labels[0] == ("45233140", "Travaux routiers")
    assert labels[-1] == ("45000000", "Travaux de construction")
    assert cpv_labels_up("99999999") == ()


def test_every_code_has_a_theme_that_exists() -> None:
    assert {theme_of_cpv(code) for code in cpv_table()} <= set(THEMES)
    assert set(THEME_OF_CPV.values()) == set(THEMES)
    assert set(WORDS.values()) == set(THEMES)


def test_nothing_is_listed_twice() -> None:
    for table in (_PREFIXES, _WORDS):
        listed = [item for items in table.values() for item in items.split()]
        assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    ("code", "theme"),
    [
        ("45233140", "voirie"),
        ("45210000", "batiment"),
        ("45261000", "batiment"),
        ("45232400", "eau"),
        ("45234100", "transport"),
        ("45214200", "education"),
        ("45212200", "sport"),
        ("71200000", "etudes"),
        ("71410000", "habitat"),
        ("72000000", "numerique"),
        ("30213000", "numerique"),
        ("30192700", "fournitures"),
        ("55524000", "alimentation"),
        ("55110000", "tourisme"),
        ("79710000", "risques"),
        ("80500000", "emploi"),
        ("90511000", "dechets"),
        ("90910000", "proprete"),
        ("92610000", "sport"),
        ("92521000", "culture"),
    ],
)
def test_themes_of_codes(code: str, theme: str) -> None:
    assert themes_of_cpv(code) == (theme,)


@pytest.mark.parametrize(
    ("text", "theme"),
    [
        ("Rénovation énergétique de l'école Jules-Ferry", "energie"),
        ("Requalification de la voirie et des trottoirs", "voirie"),
        ("Création d’une déchetterie intercommunale", "dechets"),
        ("Renaturation de la cour, plantation d'arbres", "nature"),
        ("Denrées pour la restauration scolaire", "alimentation"),
        ("Recrutement d'apprentis", "emploi"),
    ],
)
def test_themes_of_texts(text: str, theme: str) -> None:
    assert themes_of_text(text)[0] == theme


def test_words_decide_by_number_and_say_nothing_when_they_are_vague() -> None:
    assert themes_of_words(["voirie", "trottoirs", "ecole"]) == ("voirie", "education")
    assert themes_of_words(["voirie", "trottoirs", "enrobes", "ecole"]) == ("voirie",)
    assert themes_of_words(["voirie", "voirie", "ecole"]) == ("voirie", "education")
    assert themes_of_text("Aménagement de la place et du centre, lot 3") == ()
    assert themes_of_text("") == ()
