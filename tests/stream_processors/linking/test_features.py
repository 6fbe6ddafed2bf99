"""What linking knows of a record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stream_processors.factory import event
from tests.stream_processors.linking.records import call, features, state_of
from traverse_stream_processors.linking.features import features_of, reference_of
from traverse_stream_processors.linking.words import (
    fold,
    likeness,
    lots_of,
    phases_of,
    words_of,
    years_of,
)


def test_a_call_is_known_by_what_tells_it_apart() -> None:
    found = features(
        "2026-VOI-014",
        title="Réfection des voiries communales 2026 - lot n°3 signalisation",
        references=["2026/S 005-008441"],
    )
    assert found.owner == "211300405"
    assert found.source_siren == "211300553"
    assert found.speakers == {"211300405", "211300553"}
    assert found.lots == ("3",)
    assert found.years == (2026,)
    assert found.references == ("TED2026-8441",)
    assert found.deadline == "2026-12-18T11:00"
    assert found.amount == 120000
    assert found.place == ("com:13040",)
    assert "dep:13" in found.within


def test_a_subject_is_a_reference_where_the_owner_speaks() -> None:
    """What a relay numbers by says nothing to anybody else, but for the number of a notice."""
    own = features("2026-VOI-014", "urn:siren:211300405")
    relayed = features("AVIS-884120", "urn:siren:181300013:veille")
    notice = features("26-112233", "urn:siren:181300013:boamp")
    assert own.references == ("2026VOI014",)
    assert relayed.references == ()
    assert notice.references == ("BOAMP26-112233",)


def test_what_says_nothing_or_is_withdrawn_has_no_features() -> None:
    published, withdrawn = event(), event("withdrawn", id="e-2", time="2026-11-21T10:00:00Z")
    assert features_of(state_of(published)) is not None
    assert features_of(state_of(withdrawn)) is None
    assert features_of(state_of(published, withdrawn)) is None


def test_only_equal_audiences_have_one_name() -> None:
    one = call("A", visibility="restricted", audience=["211300405", "181300013"])
    two = call("B", visibility="restricted", audience=["181300013", "211300405"])
    other = call("C", visibility="buyers")
    first, second, third = map(features_of, (one, two, other))
    assert first and second and third
    assert first.audience == second.audience == "restricted:181300013,211300405"
    assert third.audience == "buyers"


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("2021/S 005-008441", "TED2021-8441"),
        ("008441-2021", "TED2021-8441"),
        ("21-12345", "BOAMP21-12345"),
        ("2018 P.003/LOT-U2", "2018P003LOTU2"),
        ("01-2026", "012026"),
        ("24-0012", "240012"),
        ("lot 1", ""),
        ("accord-cadre 2024AC12", ""),
        ("16_ service de voirie et d'enlèvement des ordures 2016, année 2017", ""),
    ],
)
def test_references_have_one_form(text: str, reference: str) -> None:
    assert reference_of(text) == reference


@given(st.text(st.characters(max_codepoint=0x17F)))
def test_a_text_is_folded_letter_by_letter(text: str) -> None:
    assert fold(text) == "".join(map(fold, text))


def test_words_are_compared_without_grammar_and_plurals() -> None:
    left = words_of(fold("Réfection des voiries de l'école"))
    assert left == words_of(fold("REFECTION DE LA VOIRIE DES ECOLES"))
    assert likeness(left, left) == 1
    assert likeness(left, words_of(fold("Achat de matériel informatique"))) == 0


@pytest.mark.parametrize(
    ("title", "lots"),
    [
        ("Lot n°3 : plomberie", ("3",)),
        ("LOT3 entretien", ("3",)),
        ("lots 01 peinture, lot II", ("1", "2")),
        ("Lot A : peinture, lot d - outils", ("a", "d")),
        ("Lot IX : peinture", ("9",)),
        ("Lot XX", ("20",)),
        ("lot 1001", ("1001",)),
        ("lot 2a et lot 02b", ("2a", "2b")),
        ("Un lot d'outils, un lot à part, un lot e-services", ()),
        ("Lot 20192100", ()),
        ("Lot V.R.D., lot(s) 3", ()),
        ("Allotissement du marché", ()),
        ("Un lot de 12 chaises", ()),
    ],
)
def test_lot_numbers_are_read_from_titles(title: str, lots: tuple[str, ...]) -> None:
    assert lots_of(fold(title)) == lots


def test_stages_of_an_operation_are_read_from_titles() -> None:
    assert phases_of(fold("Quai - Tranche n°2, phase IV")) == ("phase 4", "tranche 2")
    assert phases_of(fold("Tranche ferme, phases de travaux")) == ()


def test_its_own_number_and_those_of_notices_come_first() -> None:
    """Blocking reads the first six."""
    others = [f"2026-REF-{number:03}" for number in range(8)]
    found = features("2026-VOI-014", "urn:siren:211300405", references=[*others, "26-112233"])
    assert found.references[:2] == ("BOAMP26-112233", "2026VOI014")


def test_years_are_read_from_titles() -> None:
    assert years_of(fold("Fioul 2019-2020, marché n°20192100")) == (2019, 2020)
