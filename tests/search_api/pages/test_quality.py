"""The rules of quality: what each is about, and that a score follows from nothing else."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.documents import deadline, document
from traverse_search_api.pages.institution.quality import (
    REFUSALS,
    RULES,
    Quality,
    documents_of,
    lacking,
    quality,
    refusals_since,
)

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
WHOLE: dict[str, Any] = {
    "described": True,
    "deadline": deadline("2026-04-02T10:00:00Z"),
    "cpv": ["45233140"],
    "amount": 1000.0,
    "url": "https://example.org/avis",
    "actions": [{"kind": "respond", "url": "https://example.org/repondre"}],
    "contact": {"email": "marches@example.org"},
}


def one(**changes: Any) -> dict[str, Any]:
    fields = {**WHOLE, **changes}
    return document("Q", "Voirie", **{k: v for k, v in fields.items() if v is not None})


def missing(found: Quality) -> dict[str, int]:
    return {mark.name: mark.missing for mark in found.marks if mark.missing}


def test_weights_sum_up_to_a_hundred_and_who_lacks_nothing_has_it() -> None:
    found = quality([one()], NOW, 0, 1)
    assert found.score == 100
    assert sum(mark.weight for mark in found.marks) == 100
    assert [mark.name for mark in found.marks] == [*(rule.name for rule in RULES), REFUSALS]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"described": False}, "description"),
        ({"deadline": deadline("2026-04-02T10:00:00Z", "day")}, "echeance"),
        ({"cpv": []}, "cpv"),
        ({"amount": None}, "montant"),
        ({"url": None}, "lien"),
        ({"actions": [{"kind": "contact", "url": "https://example.org"}]}, "reponse"),
        ({"contact": None}, "contact"),
        ({"place": ["dep:13"]}, "lieu"),
        ({"flags": ["owner_number_invalid"]}, "doutes"),
        ({"published_at": "2026-03-20T08:00:00.000000Z"}, "avance"),
    ],
)
def test_each_rule_sees_what_is_missing_and_nothing_else(
    changes: dict[str, Any], rule: str
) -> None:
    lacks, whole = one(**changes), one()
    found = quality([lacks, whole], NOW, 0, 1)
    assert missing(found) == {rule: 1}
    weight = next(mark.weight for mark in found.marks if mark.name == rule)
    assert found.score == int(100 - weight / 2)
    assert lacking(rule, [lacks, whole], NOW) == [lacks]


def test_a_rule_is_only_about_what_it_can_be_asked_of() -> None:
    """An awarded contract needs no address for answers; an announced one no deadline; a region's
    project no commune; a firm's need no CPV."""
    awarded = one(state="closed", outcome="awarded", deadline=None, actions=None, contact=None)
    assert missing(quality([awarded], NOW, None, 0)) == {}
    announced = one(deadline=None, actions=None)
    assert missing(quality([announced], NOW, None, 0)) == {}
    region = one(kind="project", subtype="project", owner_kind="region", place=["reg:93"], cpv=[])
    assert missing(quality([region], NOW, None, 0)) == {}
    firm = one(kind="need", subtype="business", cpv=[], amount=None, actions=None)
    assert missing(quality([firm], NOW, None, 0)) == {}
    # Which hour it is, is asked by a rule of its own, and not counted twice.
    bare = one(deadline=deadline("2026-04-02T22:00:00Z", "day"), flags=["deadline_hour_unknown"])
    assert missing(quality([bare], NOW, None, 0)) == {"echeance": 1}


def test_refusals_count_against_what_was_published_in_the_same_time() -> None:
    found = quality([one()], NOW, 1, 3)
    assert missing(found) == {REFUSALS: 1}
    assert found.score == 98  # a quarter of 5 points, rounded down
    # Not known: left out, and no reproach.
    assert quality([one()], NOW, None, 3).score == 100
    items = [{"at": "2026-03-11T08:00:00Z"}, {"at": "2026-01-01T08:00:00Z"}]
    assert refusals_since(items, NOW) == 1


def test_what_is_to_be_mended_is_said_in_french() -> None:
    late = {"published_at": "2026-03-20T08:00:00.000000Z"}
    said = {
        mark.name: mark.sentence
        for mark in quality([one(actions=None, **late), one(actions=None)], NOW, 2, 1).marks
    }
    assert said["reponse"] == "2\u00a0consultations ouvertes sans adresse de réponse"
    assert said["avance"] == "1\u00a0consultation annoncée moins de 15 jours avant l’échéance"
    found = quality([one(actions=None, contact=None), one(actions=None)], NOW, 0, 1)
    assert [mark.name for mark in found.lacking] == ["reponse", "contact"]
    assert len(found.whole) == len(found.marks) - 2
    assert said[REFUSALS] == "2\u00a0événements refusés ces 30 derniers jours"


def test_nothing_published_has_no_score() -> None:
    assert quality([], NOW, 3, 0).score is None
    assert documents_of({}) == []
    hit = {"_source": {"id": "a"}, "matched_queries": ["described"]}
    assert documents_of({"hits": {"hits": [hit, {"_source": {"id": "b"}}]}}) == [
        {"id": "a", "described": True},
        {"id": "b", "described": False},
    ]


FIELD = st.sampled_from([*WHOLE, ""])


@given(st.lists(FIELD, min_size=1, max_size=8), FIELD)
def test_taking_something_away_never_makes_it_better(taken: list[str], more: str) -> None:
    documents = [one(**{name: None} if name else {}) for name in taken]
    worse = [one(**{name: None for name in (taken[0], more) if name}), *documents[1:]]
    # A deadline opens rules of its own: without it fewer things are asked.
    if "deadline" in {taken[0], more}:
        return
    before, after = quality(documents, NOW, None, 0).score, quality(worse, NOW, None, 0).score
    assert before is not None
    assert after is not None
    assert 0 <= after <= before <= 100
