"""Answers and joint purchases on sets judged by the buyers' own codes (`judged.py`): thresholds as
chosen on one half, figures on the other."""

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zlib import crc32

import pytest

from tests.stream_processors.matching.factory import reader
from tests.stream_processors.matching.judged import (
    Bought,
    contracts,
    open_again,
    purchases,
    same_purchase,
    trades_needs,
)
from traverse_schemas.log.record_state import RecordState
from traverse_stream_processors.matching import answers, joint
from traverse_stream_processors.matching.matcher import Matcher
from traverse_stream_processors.matching.subject import alike

pytestmark = [pytest.mark.realdata, pytest.mark.long]

CHOSEN_ON, MEASURED_ON = 0, 1
_FIRST = 5
_LOOSE = 0.5  # below every threshold that is tried


class Judged(NamedTuple):
    """A proposal: in which half, how sure of what the threshold is of, whether it is right, whether
    we wrote one end of it, and the whole in words."""

    half: int
    sure: float
    right: bool
    planted: bool
    words: str


def precision(judged: Iterable[Judged], half: int, least: float) -> tuple[int, int]:
    """How many of the proposals of a half that a threshold lets through are right, of how many."""
    passed = [one.right for one in judged if one.half == half and one.sure >= least]
    return sum(passed), len(passed)


def chosen(judged: Sequence[Judged], tried: Sequence[float], wanted: float) -> float:
    """The least threshold by which so many of the proposals of the choosing half are right."""
    for least in tried:
        right, of = precision(judged, CHOSEN_ON, least)
        if right >= wanted * of:
            return least
    raise AssertionError(f"no threshold of {tried} reaches {wanted}")


def test_four_answers_of_five_are_right(
    contracts_states: list[RecordState],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shipped = answers.LEAST_SUBJECT
    monkeypatch.setattr(answers, "LEAST_SUBJECT", _LOOSE)
    offers = contracts(contracts_states)
    codes = {}
    matcher = Matcher()
    for state in offers:
        facts = reader().read(open_again(state))
        assert facts is not None
        codes[facts.id] = state["content"]["content"]["cpv"][0]  # type: ignore[index]
        matcher.put(facts.id, facts)
    judged = []
    for number, (state, prefixes) in enumerate(trades_needs(offers)):
        need = reader().read(state)
        assert need is not None
        matcher.put(need.id, need)
        half = int(state["subject"][1:].partition("-")[0]) % 2  # one trade is all in one half
        ranked = matcher.chosen(need.id).items()
        for identity, found in sorted(ranked, key=lambda it: (-it[1].score, it[0]))[:_FIRST]:
            assert found.reason, number
            offer = matcher.get(identity)
            assert offer is not None
            words = f"{found.score} {need.title} | {offer.title[:60]} ({codes[identity]})"
            right = codes[identity].startswith(prefixes)
            judged.append(Judged(half, alike(need, offer).score, right, False, words))
    _show(capsys, "answers", judged, shipped)
    assert chosen(judged, (0.5, 0.55, 0.6, 0.65, 0.7), 0.82) == shipped
    right, of = precision(judged, MEASURED_ON, shipped)
    assert of >= 150
    assert right / of >= 0.8


def test_four_joint_purchases_of_five_are_right(
    contracts_states: list[RecordState],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shipped = joint.SURE_NEAR
    monkeypatch.setattr(joint, "SURE_NEAR", _LOOSE)
    matcher = Matcher()
    known: dict[str, Bought] = {}
    for bought in purchases(contracts(contracts_states)):
        facts = reader().read(bought.state)
        if facts is not None:
            known[facts.id] = bought
            matcher.put(facts.id, facts)
    judged = []
    seen: set[frozenset[str]] = set()
    for identity, mine in known.items():
        ranked = sorted(matcher.joint_with(identity).items(), key=lambda it: (-it[1].score, it[0]))
        for other, bond in ranked[:_FIRST]:
            theirs = known[other]
            pair = frozenset((identity, other))
            if pair in seen or (mine.visible and theirs.visible):
                continue
            seen.add(pair)
            assert bond.reason
            left, right = matcher.get(identity), matcher.get(other)
            assert left is not None
            assert right is not None
            half = crc32(" ".join(sorted(pair)).encode()) % 2
            good = same_purchase(mine.code, theirs.code, left.title, right.title)
            planted = mine.planted or theirs.planted
            words = f"{'planted' if planted else 'natural'} {bond.score} {left.title[:60]} "
            words += f"({mine.code}) | {right.title[:60]} ({theirs.code})"
            judged.append(Judged(half, alike(left, right).near, good, planted, words))
    _show(capsys, "joint", judged, shipped)
    assert chosen(judged, (0.5, 0.6, 0.7, 0.8), 0.94) == shipped
    count, of = precision(judged, MEASURED_ON, shipped)
    assert of >= 150
    assert count / of >= 0.9
    natural = [one for one in judged if not one.planted]
    count, of = precision(natural, MEASURED_ON, shipped)
    assert count / of >= 0.8


def _show(
    capsys: pytest.CaptureFixture[str], what: str, judged: Sequence[Judged], shipped: float
) -> None:
    lines = []
    for planted in sorted({one.planted for one in judged}):
        some = [one for one in judged if one.planted is planted]
        halves = (CHOSEN_ON, MEASURED_ON)
        figures = ["{} of {}".format(*precision(some, half, shipped)) for half in halves]
        kind = "planted" if planted else "natural"
        lines.append(f"{what}, {kind}: right {figures[0]} where chosen, {figures[1]} where not")
    wrong = [one for one in judged if one.half == MEASURED_ON and not one.right]
    lines += [f"  wrong: {one.words}" for one in wrong if one.sure >= shipped]
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
