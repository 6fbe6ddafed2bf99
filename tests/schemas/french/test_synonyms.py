"""The list of synonyms is well formed, and the validator sees each kind of fault."""

from importlib.resources import files

import pytest

from traverse_schemas.french.synonyms import (
    conflate,
    faults,
    key_of,
    keys_of,
    parse,
    product_entries,
)

TEXT = files("traverse_schemas.french").joinpath("synonyms_fr.txt").read_text(encoding="utf-8")


def test_the_list_of_the_product_has_no_fault() -> None:
    """A fault in the file would stop every new index."""
    assert faults(parse(TEXT)) == []
    assert len(product_entries()) >= 150


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("mairie, hôtel de ville\nmairies => mairies, maison commune", "déjà à gauche"),
        ("mairie, mairie", "écrit deux fois"),
        ("mairie,, hôtel de ville", "vide"),
        ("mairie", "au moins deux"),
        ("mairie => hôtel de ville, maison commune", "ne se trouverait plus"),
        ("sigle, " + "mot " * 15, "plus de 14 mots"),
        ("a, b => a, b => c", "ne vont pas dans un terme"),
    ],
)
def test_each_kind_of_fault_is_named(text: str, word: str) -> None:
    """The sentence tells whoever edits the file what to mend."""
    found = faults(parse(text))
    assert any(word in sentence for sentence in found), found


def test_comments_and_blank_lines_are_no_entries() -> None:
    """Line numbers still count them, so that a fault names the right line."""
    entries = parse("# title\n\nMAPA, procédure adaptée\n")
    assert [(entry.line, entry.rule) for entry in entries] == [(3, "MAPA, procédure adaptée")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Maîtrise d’œuvre", "maitrise d'oeuvres"),
        ("co-voiturage", "Co voiturages"),
        ("bâtiment communal", "batiments communals"),
    ],
)
def test_accents_elisions_hyphens_and_plurals_do_not_tell_terms_apart(one: str, other: str) -> None:
    """What the engine's stemmer may merge, the validator merges too."""
    assert conflate(one) == conflate(other)


@pytest.mark.parametrize(
    ("typed", "term"),
    [("EHPADs", "EHPAD"), ("l'amo", "AMO"), ("A.M.O.", "AMO"), ("plui", "PLUi"), ("ccas", "CCAS"),
     ("AMI", "AMI"), ("ERPs", "ERP"), ("groupes scolaires", "groupe scolaire")],
)  # fmt: skip
def test_what_people_type_is_a_term(typed: str, term: str) -> None:
    assert key_of(term) in keys_of(typed)


@pytest.mark.parametrize(
    ("typed", "term"),
    [("café", "CAF"), ("pluie", "PLUi"), ("ça", "CCAS"), ("amis", "AMI"), ("ami", "AMI"),
     ("épi", "EPI"), ("Cap", "CCAP")],
)  # fmt: skip
def test_an_acronym_is_its_own_letters(typed: str, term: str) -> None:
    """Nothing is cut off it, and no accent is passed over."""
    assert key_of(term) not in keys_of(typed)
