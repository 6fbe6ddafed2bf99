"""What people say of links: who is asked, what is said on the log, and what shows to whom."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.documents import document
from tests.search_api.accounts.people import CHAMBER, MARSEILLE
from traverse_schemas.decisions import LinkWord, Word
from traverse_schemas.events import EVENT_TYPES, event_adapter
from traverse_schemas.log.identity import opportunity_id, utc_text
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.answers.items import detail_of, item_of
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.pages.links.view import Side, answers_view, spoken_of
from traverse_search_api.pages.links.word import (
    MOST_PAIRS,
    Matter,
    Ref,
    Said,
    matter_of,
    own_records,
    pairs_of,
    said_by,
    word_events,
    word_of,
)

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
TOWN, FEED = f"urn:siren:{MARSEILLE}", f"urn:siren:{CHAMBER}:boamp"
OTHER = "200054807"


def records(*places: tuple[str, str], **more: Any) -> dict[str, Any]:
    """An opportunity of several records, by default of the town."""
    sources = [{"source": one, "subject": two, "updated_at": "2026-03-01"} for one, two in places]
    head = opportunity_id(*places[0])
    return document("x", "Bornes", sources=sources, **more) | {"id": head}


def said(word: str, siren: str, subject: str = "reponse", day: int = 1) -> dict[str, Any]:
    at = utc_text(datetime(2026, 3, day, 10, tzinfo=UTC))
    return {
        "source": f"urn:siren:{siren}:pages",
        "subject": subject,
        "word": word,
        "version": [0, at, "d"],
    }


def link(state: str, role: str = "need", **more: Any) -> dict[str, Any]:
    return {
        "type": "answers", "id": "b" * 16, "role": role, "state": state, "score": 0.8,
        "reason": "Même objet", "title": "Aide", "owner": "Région", "audience": "public", **more,
    }  # fmt: skip


def joint(state: str, **more: Any) -> dict[str, Any]:
    whole = link(state, **more) | {"type": "joint"}
    del whole["role"]
    return whole


def labels(
    links: list[dict[str, Any]], siren: str = MARSEILLE, may: bool = True
) -> list[list[str]]:
    one = records((TOWN, "N1"), links=links)
    side = Side(siren, may, lambda siren: f"nom de {siren}")
    spoken = spoken_of(one, NOW, Reader(siren), side)
    talks = [*spoken.talks.values(), *(aside.talk for aside in spoken.aside)]
    return [[button.label for button in talk.buttons] for talk in talks]


NEED, OFFER, TOGETHER = "Cela répond à notre besoin", "Pas pour nous", "C’est le même achat"
BACK = "Reprendre notre réponse"


@pytest.mark.parametrize(
    ("shown", "buttons"),
    [
        (link("proposed"), [NEED, OFFER]),
        (link("proposed", "offer"), [OFFER]),
        (link("confirmed", said=[said("confirmed", MARSEILLE)]), [BACK]),
        (link("confirmed", "offer", said=[said("confirmed", OTHER)]), [OFFER]),
        (link("dismissed", said=[said("dismissed", MARSEILLE)]), [BACK]),
        (link("dismissed", said=[said("dismissed", OTHER)]), []),
        (link("proposed", until="2026-03-01"), []),
        ({"type": "same", "id": "b" * 16, "score": 0.7, "reason": "même titre"},
         ["C’est le même dossier", "Ce n’est pas le même dossier"]),
        ({"type": "same", "id": "b" * 16, "score": 0.0, "reason": "dit", "state": "asserted",
          "said": [said("same_as", OTHER)]},
         ["C’est le même dossier", "Ce n’est pas le même dossier"]),
        ({"type": "lot", "id": "b" * 16, "score": 0.7, "reason": "lots"}, None),
        (joint("proposed"), [TOGETHER, OFFER]),
        (joint("proposed", said=[said("confirmed", OTHER)]), [TOGETHER, OFFER]),
        (joint("proposed", said=[said("confirmed", MARSEILLE)]), [BACK]),
        (joint("confirmed"), [OFFER]),
        (joint("dismissed", said=[said("dismissed", MARSEILLE)]), [BACK]),
        (joint("dismissed", said=[said("dismissed", OTHER)]), []),
    ],
)  # fmt: skip
def test_a_side_is_asked_for_what_it_may_still_say(
    shown: dict[str, Any], buttons: list[str] | None
) -> None:
    """Who may not publish for the institution is asked for nothing; who is no side neither."""
    assert labels([shown]) == ([] if buttons is None else [buttons])
    assert labels([shown], may=False) == ([] if buttons is None else [[]])
    assert labels([shown], siren=CHAMBER) == []


def test_what_the_sides_set_aside_shows_to_nobody_else() -> None:
    hidden = [
        link("dismissed", said=[said("dismissed", OTHER)]),
        {"type": "same", "id": "c" * 16, "score": 0.0, "reason": "x", "state": "asserted",
         "said": [said("same_as", OTHER)]},
    ]  # fmt: skip
    one = records(
        (TOWN, "N1"), links=[link("proposed", id="d" * 16, said=hidden[0]["said"]), *hidden]
    )
    for shown in (item_of({"_source": one}, NOW, ANYBODY), detail_of(one, NOW, Reader(MARSEILLE))):
        assert [each["id"] for each in shown["links"]] == ["d" * 16]
        assert "said" not in json.dumps(shown)
    side = Side(MARSEILLE, True, lambda siren: f"nom de {siren}")
    aside = spoken_of(one, NOW, Reader(MARSEILLE), side).aside
    assert [each.state for each in aside] == ["Écarté", "Même dossier, selon une institution"]
    assert aside[0].talk.words == [f"Écarté par nom de {OTHER}"]
    # The other end may be for those only whom this reader is not among.
    hidden[0]["audience"] = f"restricted:{OTHER}"
    assert len(spoken_of(one, NOW, Reader(MARSEILLE), side).aside) == 1


def test_an_institution_finds_what_waits_for_its_word_apart_from_what_it_said() -> None:
    one = records((TOWN, "N1"), links=[
        link("proposed"), link("confirmed", id="c" * 16), link("dismissed", id="d" * 16),
        link("proposed", id="e" * 16, until="2026-03-01"),
    ])  # fmt: skip
    theirs = records((FEED, "9"), links=[link("proposed")], owner_siren=OTHER)
    side = Side(MARSEILLE, True, str)
    view = answers_view([one, theirs], NOW, Reader(MARSEILLE), side)
    assert [[each.talk.other for each in kind] for kind in view] == [
        ["b" * 16], ["c" * 16], ["d" * 16],
    ]  # fmt: skip


def test_an_institution_speaks_for_what_it_publishes_and_for_what_names_it_as_owner() -> None:
    both = records((FEED, "9"), (TOWN, "V1"))
    assert own_records(both, MARSEILLE) == [Ref(TOWN, "V1"), Ref(FEED, "9")]
    assert own_records(both, CHAMBER) == [Ref(FEED, "9")]
    assert own_records(both, OTHER) == []
    named = {"owner_kind": {"source": TOWN, "subject": "V1", "at": "x"}}
    assert own_records({**both, "provenance": named}, MARSEILLE) == [Ref(TOWN, "V1")]


def test_an_answer_is_said_of_one_pair_and_a_contest_of_each_pair_that_one_speaks_for() -> None:
    mine, theirs = records((TOWN, "N1")), records((FEED, "9"), owner_siren=OTHER)
    one, other = Ref(TOWN, "N1"), Ref(FEED, "9")
    for siren in (MARSEILLE, CHAMBER, OTHER):
        assert pairs_of(Matter.ANSWER, mine, theirs, other.id, siren) == [(one, other)]
        # Each record may bring two purchases together.
        both = records((TOWN, "N1"), (FEED, "N2"), owner_siren=MARSEILLE)
        copy = Ref(FEED, "N2")
        pairs = pairs_of(Matter.JOINT, both, theirs, other.id, siren)
        assert pairs == [(one, other), (copy, other)]
    assert pairs_of(Matter.ANSWER, mine, theirs, other.id, "130002199") == []
    assert pairs_of(Matter.JOINT, mine, theirs, other.id, "130002199") == []
    named = {"owner_kind": {"source": TOWN, "subject": "A", "at": "x"}}
    merged = records((TOWN, "A"), (FEED, "B"), (f"urn:siren:{OTHER}", "C"), provenance=named)
    a, b, c = (Ref(each["source"], each["subject"]) for each in merged["sources"])
    # The town says of B that it is another thing than its own; of its own, than all.
    assert pairs_of(Matter.SAME, merged, merged, b.id, MARSEILLE) == [(a, b)]
    assert pairs_of(Matter.SAME, merged, merged, a.id, MARSEILLE) == [(b, a), (c, a)]
    assert pairs_of(Matter.SAME, merged, merged, b.id, "130002199") == []
    assert pairs_of(Matter.SAME, merged, merged, "z" * 16, MARSEILLE) == []
    crowd = records((TOWN, "A"), *((FEED, f"B{number}") for number in range(MOST_PAIRS + 1)))
    with pytest.raises(InvalidParameterError, match="trop de publications"):
        pairs_of(Matter.SAME, crowd, crowd, opportunity_id(TOWN, "A"), MARSEILLE)


def events(word: Word, *known: Said, now: datetime = NOW) -> list[dict[str, Any]]:
    pair = (Ref(TOWN, "N1"), Ref(FEED, "9"))
    numbers = map(str, range(9))
    return word_events(word, Matter.ANSWER, [pair], known, siren=MARSEILLE, now=now, ids=numbers)


def test_a_word_is_an_event_of_the_schema_and_the_next_takes_its_place() -> None:
    for word in (Word.CONFIRMED, Word.DISMISSED, Word.WITHDRAWN):
        (event,) = events(word)
        read = event_adapter(EVENT_TYPES[event["type"]]).validate_json(json.dumps(event)).data
        assert isinstance(read, LinkWord)
        assert (event["source"], event["subject"]) == (
            f"{TOWN}:pages",
            events(Word.CONFIRMED)[0]["subject"],
        )


def test_what_was_said_elsewhere_is_taken_back_where_it_was_said_and_after_it() -> None:
    """By its own system, numbered, on a clock that is ahead: the new word is the later one."""
    ahead = NOW + timedelta(seconds=2)
    before = Said(f"{TOWN}:si", "REF-9", (7, utc_text(ahead), "z"))
    (page, system) = events(Word.WITHDRAWN, before)
    assert (system["source"], system["subject"]) == (f"{TOWN}:si", "REF-9")
    (new,) = events(Word.DISMISSED, before)
    for event in (page, system, new):
        assert (event["sequence"], event["time"]) > before.version[:2]
    link_of = link("confirmed", said=[said("confirmed", OTHER), said("confirmed", MARSEILLE)])
    one = records((TOWN, "N1"), links=[link_of])
    (found,) = said_by(one, "b" * 16, Matter.ANSWER, MARSEILLE)
    assert found["source"] == f"{TOWN}:pages"
    assert said_by(one, "b" * 16, Matter.SAME, MARSEILLE) == []


def test_what_is_no_word_is_refused_in_words() -> None:
    for wrong in (lambda: word_of("oui"), lambda: matter_of(Word.WITHDRAWN, "tout")):
        with pytest.raises(InvalidParameterError):
            wrong()
    assert matter_of(Word.NOT_SAME, "reponse") is Matter.SAME
    assert matter_of(Word.DISMISSED, "achat") is Matter.JOINT
    assert matter_of(Word.DISMISSED, "dossier") is Matter.ANSWER
