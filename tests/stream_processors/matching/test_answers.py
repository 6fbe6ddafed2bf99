"""Answers: what answers a need, how well, and why."""

from typing import Any

import pytest

from tests.stream_processors.matching.factory import (
    DEPARTMENT,
    METROPOLE,
    REGION,
    TOWNS,
    call,
    facts,
    need,
    state,
)
from traverse_stream_processors.matching.answers import LEAST, Answer, answer, reason_for_offer
from traverse_stream_processors.matching.matcher import Matcher
from traverse_stream_processors.matching.roles import Seeks, beneficiaries_of, seeks_of

ROADS: dict[str, Any] = {"cpv": ["45233140"]}


def found(asked: Any, offered: Any) -> Answer:
    result = answer(asked, offered)
    assert result is not None
    assert LEAST <= result.score <= 1
    return result


def firm(title: str, **fields: Any) -> Any:
    return need("F", title, subtype="business", owner="Aix", **fields)


def test_the_reason_says_subject_territory_and_until_when() -> None:
    asked = need("N", "Réfection de la rue de la Gare", **ROADS)
    offered = call("C", "Rénovation des rues : aide aux communes", owner=METROPOLE,
                   subtype="call_for_projects", **ROADS)  # fmt: skip
    result = found(asked, offered)
    assert result.reason == (
        "même objet (travaux routiers), sur votre EPCI, ouvert aux collectivités, "
        "jusqu'au 12 mars 2027"
    )
    assert result.until == "2027-03-12T11:00"
    # The one who offers is told the same of the other.
    assert reason_for_offer(asked, offered, result.reason) == (
        "même objet (travaux routiers), lieu du besoin : Gardanne, ouvert aux collectivités, "
        "jusqu'au 12 mars 2027"
    )
    by_word = answer(asked, call("X", "Achat d'ordinateurs", cpv=["30213000"]), "confirmed")
    assert by_word is not None
    assert reason_for_offer(asked, asked, by_word.reason) == by_word.reason


@pytest.mark.parametrize(
    ("until", "zone", "last"),
    [
        ("2027-03-12T23:00:00Z", "Europe/Paris", "12 mars 2027"),
        ("2027-03-13T04:00:00Z", "America/Guadeloupe", "12 mars 2027"),
        ("2027-03-13T02:00:00Z", "America/Guadeloupe", "12 mars 2027"),
        ("2027-03-12T20:00:00Z", "Indian/Reunion", "12 mars 2027"),
        ("2027-03-12T13:00:00Z", "Pacific/Noumea", "12 mars 2027"),
        ("2027-03-13T10:00:00Z", "Pacific/Tahiti", "12 mars 2027"),
    ],
)
def test_the_last_day_is_that_of_the_buyer(until: str, zone: str, last: str) -> None:
    """A bare day ends at the buyer's midnight, which is another day elsewhere."""
    deadline = {"until": until, "kind": "tender", "zone": zone, "precision": "day"}
    asked = need("N", "Réfection de la voirie", owner="Aix", **ROADS)
    own = call("C", "Réfection de la voirie", owner="Aix", deadline=deadline, **ROADS)
    assert found(asked, own).reason.endswith(f"jusqu'au {last}")


def test_what_expires_answers_until_the_end_of_that_french_day() -> None:
    asked = need("N", "Réfection de la rue de la Gare", **ROADS)
    aid: dict[str, Any] = {"owner": METROPOLE, "subtype": "call_for_projects", **ROADS}
    offered = call("C", "Rénovation des rues : aide aux communes", expires="2027-01-31", **aid)
    result = found(asked, offered)
    assert result.until == "2027-01-31T23:00"
    assert "jusqu'au 12 mars 2027" in result.reason  # what its buyer says of it
    asked_till = need("N", "Réfection de la rue de la Gare", expires="2026-12-31", **ROADS)
    assert found(asked_till, offered).until == "2026-12-31T23:00"
    later = need("N", "Réfection de la rue", first_time="2027-02-01T09:00:00.000000Z", **ROADS)
    assert answer(later, offered) is None
    assert found(later, call("C", "Rénovation des rues : aide aux communes", **aid)).until


def test_a_firm_finds_a_call_without_a_word_or_a_code_in_common() -> None:
    asked = firm("Entreprise d'enrobés : chercher des chantiers de chaussées")
    assert found(asked, call("C", "Réfection de la voirie communale", owner="Gardanne", **ROADS))
    assert answer(asked, call("C", "Achat d'ordinateurs", cpv=["30213000"])) is None


def test_an_answer_must_reach_the_place_of_the_need() -> None:
    asked = firm("Entreprise de réfection de voirie et chaussées")
    assert answer(asked, call("C", "Réfection de la voirie", owner="Gap", **ROADS)) is None
    assert found(asked, call("C", "Réfection de la voirie", owner="Arles", **ROADS)).reason


def test_a_firm_is_told_what_lies_in_its_epci_and_an_epci_what_lies_within_it() -> None:
    contract = call("C", "Réfection de la voirie", **ROADS)
    assert "sur votre EPCI, à Gardanne" in found(firm("Voirie", **ROADS), contract).reason
    project = facts(state("P", "Réfection de la voirie", kind="project", subtype="project",
                          **ROADS))  # fmt: skip
    asked = need("N", "Réfection de la voirie", owner=METROPOLE, **ROADS)
    assert "sur le territoire du besoin" in found(asked, project).reason


def test_anothers_contract_does_not_answer_an_institution_beside_it() -> None:
    asked = need("N", "Réfection de la voirie", owner="Aix", **ROADS)
    assert answer(asked, call("C", "Réfection de la voirie", owner="Gardanne", **ROADS)) is None
    own = found(asked, call("C", "Réfection de la voirie", owner="Aix", **ROADS))
    assert "votre consultation" in own.reason


@pytest.mark.parametrize(
    ("title", "joint", "told", "told_back"),
    [
        ("Réfection de la voirie", None, "même achat par {} : à contacter",
         "même achat par Gardanne : à contacter"),
        ("Réfection de la voirie (centrale d'achat)", None,
         "achat pour plusieurs acheteurs : à voir avec {}",
         "achat pour plusieurs acheteurs : à voir avec Gardanne"),
        ("Réfection de la voirie, groupement de commandes", None,
         "achat pour plusieurs acheteurs : à voir avec {}",
         "achat pour plusieurs acheteurs : à voir avec Gardanne"),
        ("Réfection de la voirie, groupement de commandes", ["Aix"],
         "même achat par {} : à contacter", "même achat par Gardanne : à contacter"),
        ("Réfection de la voirie, groupement de commandes", ["Aix", "Gardanne"],
         "groupement de commandes dont {} vous dit membre",
         "besoin d'un membre de votre groupement de commandes"),
    ],
)  # fmt: skip
def test_anothers_contract_is_for_its_own_buyers(
    title: str, joint: list[str] | None, told: str, told_back: str
) -> None:
    """That it lies above is no right to order by it (art. L.2113-2 and L.2113-6)."""
    asked = need("N", "Réfection de la voirie", **ROADS)
    members = {"coordinator": METROPOLE[0], "members": [TOWNS[one][0] for one in joint or ()]}
    more = {"joint": members} if joint else {}
    offered = call("C", title, owner=METROPOLE, **ROADS, **more)
    result = found(asked, offered)
    assert f", {told.format(offered.owner_name)}, " in result.reason
    assert f", {told_back}, " in reason_for_offer(asked, offered, result.reason)


def test_a_member_of_a_groupement_finds_its_contract_wherever_that_is_let() -> None:
    asked = need("N", "Réfection de la voirie", owner="Apt", **ROADS)
    joint = {"coordinator": TOWNS["Gardanne"][0], "members": [asked.owner]}
    offered = call("C", "Réfection de la voirie", owner="Gardanne", joint=joint, **ROADS)
    matcher = Matcher()
    for one in (asked, offered):
        matcher.put(one.id, one)
    assert list(matcher.chosen(asked.id)) == [offered.id]
    assert answer(asked, offered._replace(buyers=())) is None


def test_a_call_for_projects_answers_those_whom_it_names() -> None:
    aid: dict[str, Any] = {"subtype": "call_for_projects", "owner": REGION, "themes": ["energie"]}
    for_towns = call("A", "Bornes de recharge : aide aux communes volontaires", **aid)
    for_firms = call("B", "Bornes de recharge : aide aux hôteliers et commerçants", **aid)
    asked = need("N", "Borne de recharge près de la mairie", cpv=["31158000"])
    assert "ouvert aux collectivités" in found(asked, for_towns).reason
    assert answer(asked, for_firms) is None


def test_shared_means_answer_an_institution() -> None:
    shared = facts(
        state("P", "Balayeuse de voirie prêtée aux communes", kind="project",
              subtype="shared_resources", owner=METROPOLE, themes=["voirie"])
    )  # fmt: skip
    asked = need("N", "Balayeuse de voirie pour une semaine", themes=["voirie"])
    assert "moyens partagés" in found(asked, shared).reason


def test_what_is_over_answers_nothing() -> None:
    from tests.stream_processors.matching.factory import reader

    closed = state("C", "Réfection", kind="call", subtype="contract", outcome="unsuccessful")
    assert reader().read(closed) is None


def test_what_was_over_before_the_need_was_said_answers_it_not() -> None:
    asked = need("N", "Réfection de la voirie", owner="Aix", **ROADS)
    assert asked.first_time == "2026-11-01T09:00:00.000000Z"
    for until, answers in (("2026-11-01T09:00:00Z", False), ("2026-11-01T09:01:00Z", True)):
        deadline = {"until": until, "precision": "minute"}
        own = call("C", "Réfection de la voirie", owner="Aix", deadline=deadline, **ROADS)
        assert (answer(asked, own) is not None) is answers
    assert answer(asked, own, "confirmed") is not None


def test_a_need_does_not_answer_an_institution() -> None:
    asked = need("N", "Fournitures scolaires", cpv=["30192700"])
    other = firm("Entreprise de fournitures scolaires, référencement auprès des acheteurs publics")
    assert answer(asked, other) is None


def test_firms_of_one_trade_find_each_other_when_one_looks_for_a_partner() -> None:
    asked = firm("Cotraitant en électricité du bâtiment pour un marché de rénovation")
    other = need("G", "Électricité du bâtiment : trouver des marchés publics", subtype="business",
                 owner=DEPARTMENT, place=["com:13041"])  # fmt: skip
    assert "à plusieurs" in found(asked, other).reason


@pytest.mark.parametrize(
    ("title", "subtype", "answers"),
    [
        ("Bornes de recharge : aide pour financer l'installation", "call_for_projects", True),
        ("Bornes de recharge : aide pour financer l'installation", "contract", False),
        ("Bornes de recharge : local à louer", "shared_resources", True),
        ("Bornes de recharge : local à louer", "contract", False),
        ("Bornes de recharge : trouver des marchés", "contract", True),
        ("Bornes de recharge : trouver des marchés", "shared_resources", False),
    ],
)
def test_a_firm_finds_what_it_looks_for(title: str, subtype: str, *, answers: bool) -> None:
    """Orders, aid, or what is shared; of one subject and at one place."""
    kind = "project" if subtype == "shared_resources" else "call"
    offered = call("C", "Bornes de recharge", kind=kind, subtype=subtype, owner=METROPOLE,
                   cpv=["31158000"])  # fmt: skip
    result = answer(firm(title, cpv=["31158000"]), offered)
    assert (result is not None) is answers
    assert result is None or "ouvert aux entreprises" in result.reason


def test_what_a_firm_seeks_is_read_from_its_words() -> None:
    assert seeks_of("Cotraitant électricité", "") is Seeks.PARTNER
    assert seeks_of("Recruter trois techniciens", "pour nos marchés publics") is Seeks.STAFF
    assert seeks_of("Local d'activité de 600 m2", "") is Seeks.PREMISES
    assert seeks_of("Certification : financer un diagnostic", "") is Seeks.AID
    assert seeks_of("Trouver un premier client public", "aide bienvenue") is Seeks.ORDERS
    assert seeks_of("Terrassement", "") is Seeks.ORDERS


def test_beneficiaries_are_read_from_the_title_first() -> None:
    assert beneficiaries_of("Aide aux PME", "dans les communes rurales") == (True, False)
    assert beneficiaries_of("Aide aux communes", "") == (False, True)
    assert beneficiaries_of("Appel à projets", "") == (True, True)
