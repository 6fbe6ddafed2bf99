"""Joint purchases: who could buy together, and what never could."""

from typing import Any

import pytest

from tests.stream_processors.matching.factory import METROPOLE, facts, need, reader, state
from traverse_stream_processors.matching.joint import together, when_in_words
from traverse_stream_processors.matching.purchases import Purchase, overlap, purchase_of

DAE: dict[str, Any] = {"cpv": ["33182100"]}


def contract(title: str = "Maintenance des ascenseurs", **fields: Any) -> Any:
    whole = {
        "kind": "call", "subtype": "contract", "nature": "services", "cpv": ["50750000"],
        "notified": "2023-06-30", "duration_months": 48, "end_max": "2027-06-30",
        "outcome": "awarded", "owner": "Aix", **fields,
    }  # fmt: skip
    return state("M", title, **whole)


def test_neighbours_that_need_the_same_at_the_same_time_go_together() -> None:
    left = need("A", "Défibrillateurs du stade", owner="Gardanne", **DAE)
    right = need("B", "Défibrillateurs des écoles", owner="Aix", **DAE)
    found = together(left, right)
    assert found is not None
    assert found == together(right, left)
    assert found.reason == (
        "même objet (défibrillateur), dans le même EPCI, "
        "entre le 1er février 2027 et le 31 mai 2027"
    )


def test_two_of_one_departement_are_not_within_one_another() -> None:
    left, right = (
        need("A", "Défibrillateurs", owner=(siren, "dep:13", kind), **DAE)
        for siren, kind in (("221300015", "department"), ("181300013", "chamber"))
    )
    found = together(left, right)
    assert found is not None
    assert "dans le même département" in found.reason


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"owner": "Gardanne"}, "one owner"),
        ({"owner": "Gap"}, "too far away"),
        ({"window": {"from": "2028-01-01"}}, "another time"),
        ({"cpv": ["30192700"]}, "another thing"),
        ({"subtype": "business"}, "a firm"),
        ({"joint": {"coordinator": "211300413"}}, "already joint"),
    ],
)
def test_what_does_not_go_together(changes: dict[str, Any], why: str) -> None:
    left = need("A", "Défibrillateurs du stade", owner="Gardanne", **DAE)
    whole: dict[str, Any] = {"owner": "Aix", **DAE, **changes}
    assert together(left, need("B", "Besoin voisin", **whole)) is None, why


def test_works_are_not_bought_with_studies_nor_with_supplies() -> None:
    """Under one title, without a code that would tell."""
    left = need("A", "Toiture du groupe scolaire", owner="Gardanne")
    right = need("B", "Toiture du groupe scolaire", owner="Aix")
    assert together(left, right)
    assert together(left, need("B", "Toiture du groupe scolaire", owner="Aix", nature="works")) is (
        None
    )


def test_federations_are_bidders_and_stay_out() -> None:
    left = need("A", "Défibrillateurs", owner="Gardanne", **DAE)
    right = need("B", "Défibrillateurs", owner=("130000011", "com:13001", "federation"), **DAE)
    assert together(left, right) is None


def test_an_epci_and_its_commune_go_together() -> None:
    left = need("A", "Maintenance d'ascenseurs", owner=METROPOLE, cpv=["50750000"])
    assert together(left, need("B", "Entretien des élévateurs", owner="Aix", cpv=["50750000"]))


def test_the_end_of_a_recurring_contract_joins_a_need_as_a_guess() -> None:
    ending = facts(contract())
    assert ending.purchase == Purchase("2026-10-03", "2027-06-30", renewal=True)
    asked = need("B", "Maintenance des ascenseurs", owner="Gardanne", cpv=["50750000"])
    sure = need("C", "Maintenance des ascenseurs", owner="Aix", cpv=["50750000"])
    guess, said = together(asked, ending), together(asked, sure)
    assert guess is not None
    assert said is not None
    assert guess.score < said.score


def test_two_ends_of_contracts_are_two_guesses() -> None:
    other = facts(contract(owner="Gardanne"))
    assert together(facts(contract()), other) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"cpv": ["45233140"]},
        {"cpv": ["71300000"]},
        {"cpv": []},
        {"nature": "works"},
        {"duration_months": 6},
        {"outcome": "unsuccessful"},
        {"title": "Étude des ascenseurs"},
    ],
)
def test_works_studies_and_single_purchases_do_not_come_back(changes: dict[str, Any]) -> None:
    assert reader().read(contract(**changes)) is None


def test_an_end_is_a_range() -> None:
    said = facts(contract(end_min="2025-06-30")).purchase
    assert said == Purchase("2024-10-03", "2027-06-30", renewal=True)


def test_a_programme_of_everything_is_no_purchase() -> None:
    programme = {"kind": "project", "subtype": "purchase_programme"}
    assert purchase_of(programme, None) is None


def test_periods_overlap_on_their_last_day() -> None:
    left = Purchase("2027-01-01", "2027-03-31", renewal=False)
    assert overlap(left, Purchase("2027-03-31", "9999-12-31", renewal=False)) == (
        "2027-03-31", "2027-03-31",
    )  # fmt: skip
    assert overlap(left, Purchase("2027-04-01", "2027-05-01", renewal=False)) is None
    assert when_in_words("0001-01-01", "2027-05-01") == "avant le 1er mai 2027"
    assert when_in_words("0001-01-01", "9999-12-31") == ""


UGAP = {"id": "77605646700355", "name": "UGAP", "role": "single"}


@pytest.mark.parametrize(
    ("changes", "buys"),
    [
        ({"holders": [UGAP]}, False),
        ({"holders": [{"id": "776 056 467 00355"}]}, False),
        ({"holders": [{"name": "GIP RESAH"}, {"name": "Ascenseurs du Sud"}]}, False),
        ({"holders": [{"name": "Ets Canut et fils"}, {"name": "Centrale d'achats du pneu"}]}, True),
        ({"holders": [{"id": "77605600000011", "name": "Ugapine"}]}, True),
        ({"title": "Maintenance des ascenseurs (UGAP)"}, False),
    ],
)
def test_a_contract_held_by_a_central_purchasing_body_is_none_to_renew_together(
    changes: dict[str, Any], buys: bool
) -> None:
    assert (facts_of(contract(**changes)) is not None) is buys


def facts_of(said: Any) -> Any:
    return reader().read(said)


@pytest.mark.parametrize(
    ("changes", "joint"),
    [
        ({"description": "Commande passée via l'UGAP."}, False),
        ({"title": "Défibrillateurs par le catalogue de la CANUT"}, False),
        ({"title": "Adhésion à une centrale d'achat pour des défibrillateurs"}, False),
        ({"description": "Acquis auprès du RESAH en 2023."}, False),
        ({"owner": ("776056467", "dep:13", "other")}, False),
        ({"institutions": [{"name": "Centrale d'achat du transport public", "role": "owner",
                            "kind": "other"}], "owner_siren": ""}, False),
        ({"description": "Consultation sans passer par l'UGAP."}, True),
        ({"description": "Trop cher : nous n'achetons plus par l'UGAP."}, True),
        ({"description": "Écoles de la rue des Canuts."}, True),
        ({"description": "Marché propre plutôt que via une centrale d'achat."}, True),
    ],
)  # fmt: skip
def test_what_goes_through_a_central_purchasing_body_joins_no_neighbour(
    changes: dict[str, Any], joint: bool
) -> None:
    left = need("A", "Défibrillateurs", owner="Gardanne", **DAE)
    right = need("B", **{"title": "Défibrillateurs", "owner": "Aix", **DAE, **changes})
    assert (together(left, right) is not None) is joint
    assert right.asks
