"""What lasts: of many answers the best that are open whenever one looks, for whoever reads."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from traverse_stream_processors.matching.answer_book import AnswerBook
from traverse_stream_processors.matching.answers import Answer
from traverse_stream_processors.matching.lasting import (
    MOST,
    MOST_KEPT,
    Place,
    enter,
    kept,
    lasting,
    place_of,
)

_UNTIL = st.sampled_from(["", *(f"20{27 + n // 12}-{1 + n % 12:02}-03T11:00" for n in range(20))])
_SCORE = st.sampled_from([0.6, 0.61, 0.7, 0.8, 0.9])
places = st.lists(st.tuples(_SCORE, _UNTIL), max_size=120).map(
    lambda those: [place_of(score, f"{at:03}", until) for at, (score, until) in enumerate(those)]
)


@given(places)
def test_the_best_of_what_is_open_in_any_month_last(those: list[Place]) -> None:
    found = lasting(sorted(those))
    for month in {one.month for one in those}:
        still = sorted(one for one in those if one.month >= month)[:MOST]
        assert set(still) <= set(found)
    assert found == sorted(found)


@given(places, st.randoms(use_true_random=False))
def test_who_enters_one_by_one_lasts_as_if_all_had_come_at_once(
    those: list[Place], random: Any
) -> None:
    random.shuffle(those)
    found: list[Place] = []
    for one in those:
        before = list(found)
        if not enter(found, one):
            assert found == before
    assert found == lasting(sorted(those))


def test_however_many_last_those_that_are_open_longest_are_kept() -> None:
    """Each worse than the one before, and open a month longer."""
    months = [f"{2027 + n // 12}-{1 + n % 12:02}" for n in range(80)]
    those = [place_of(1 - n / 1000, f"{n:03}", month) for n, month in enumerate(months)]
    assert lasting(those) == those
    assert kept(those) == those[-MOST_KEPT:]


@given(places)
def test_of_more_than_are_kept_every_month_keeps_its_best(those: list[Place]) -> None:
    """As many for each month as there is room for."""
    last = lasting(sorted(those))
    found = kept(last)
    assert len(found) == min(len(last), MOST_KEPT)
    assert list(found) == sorted(found)
    months = {one.month for one in those}
    for month in months:
        still = sorted(one for one in those if one.month >= month)[:MOST]
        assert set(still[: MOST_KEPT // len(months)]) <= set(found)


def test_what_is_best_and_ends_soonest_is_kept() -> None:
    """Ten in each of a year's months, those of each better than those of the next."""
    those = [
        place_of(1 - month / 100, f"{month:02}-{number}", f"2027-{month:02}")
        for month in range(1, 13) for number in range(MOST)
    ]  # fmt: skip
    found = kept(lasting(those))
    for month in range(1, 13):
        at = (month - 1) * MOST
        assert set(those[at : at + MOST_KEPT // 12]) <= set(found)


answers = st.builds(
    Answer,
    _SCORE,
    _UNTIL,
    st.just("même objet"),
    st.sampled_from(["public", "members", "restricted:211300413"]),
    st.sampled_from(["proposed"] * 12 + ["confirmed", "dismissed"]),
)


@given(st.lists(answers, min_size=1, max_size=90), st.randoms(use_true_random=False))
def test_what_is_proposed_does_not_depend_on_who_came_and_went(
    those: list[Answer], random: Any
) -> None:
    known = {f"{at:03}": one for at, one in enumerate(those)}
    book = AnswerBook()
    came = list(known)
    random.shuffle(came)
    gone = came[: len(came) // 3]
    steps = [(one, True) for one in came]
    for one in gone:
        steps.insert(random.randint(steps.index((one, True)) + 1, len(steps)), (one, False))
    shown: dict[str, Answer] = {}
    for offer, comes in steps:
        if comes:
            book.put("need", offer, known[offer])
        elif random.random() < 0.5:
            book.drop(offer)
        else:
            there = {one for one, *_ in steps} - {offer}
            book.keep(offer, there)
        now = {one: answer for _, one, answer in book.every()}
        told = {one for _, one in book.changed()}
        assert {one for one, _ in now.items() ^ shown.items()} <= told
        shown = now
    alone = AnswerBook()
    alone.put_all("need", {one: known[one] for one in known if one not in gone})
    assert shown == {one: answer for _, one, answer in alone.every()}
    assert dict(book.chosen("need")) == dict(alone.chosen("need"))
