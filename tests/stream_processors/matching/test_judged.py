"""Answers and joint purchases on sets judged by the buyers' own codes (`judged.py`)."""

import sys

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
from traverse_schemas.record_state import RecordState
from traverse_stream_processors.matching.matcher import Matcher

pytestmark = pytest.mark.realdata
_PURCHASES = 1800


def test_four_answers_of_five_are_right(
    contracts_states: list[RecordState], capsys: pytest.CaptureFixture[str]
) -> None:
    offers = contracts(contracts_states)
    codes = {}
    matcher = Matcher()
    for state in offers:
        facts = reader().read(open_again(state))
        assert facts is not None
        codes[facts.id] = state["content"]["content"]["cpv"][0]  # type: ignore[index]
        matcher.put(facts.id, facts)
    right, wrong, silent, needs = 0, [], 0, 0
    for state, prefixes in trades_needs(offers):
        need = reader().read(state)
        assert need is not None
        matcher.put(need.id, need)
        ranked = matcher.chosen(need.id).items()
        proposed = sorted(ranked, key=lambda one: (-one[1].score, one[0]))[:5]
        needs += 1
        silent += not proposed
        for identity, answer in proposed:
            assert answer.reason
            if codes[identity].startswith(prefixes):
                right += 1
                continue
            offer = matcher.get(identity)
            assert offer is not None
            wrong.append(
                f"  {answer.score} {need.title} | {offer.title[:60]} ({codes[identity]}, for "
                f"{prefixes[0]}…) | {answer.reason[:80]}"
            )
    judged = right + len(wrong)
    _show(
        capsys,
        f"answers: {needs} needs, {judged} proposals in the first five, {right / judged:.3f} "
        f"right, {silent} needs without a proposal; wrong:",
        wrong,
    )
    assert judged >= 150
    assert right / judged >= 0.8


def test_four_joint_purchases_of_five_are_right(
    contracts_states: list[RecordState], capsys: pytest.CaptureFixture[str]
) -> None:
    matcher = Matcher()
    known: dict[str, Bought] = {}
    for bought in purchases(contracts(contracts_states)[:_PURCHASES]):
        facts = reader().read(bought.state)
        if facts is not None:
            known[facts.id] = bought
            matcher.put(facts.id, facts)
    tally = {"planted": [0, 0], "natural": [0, 0]}
    wrong = []
    seen: set[frozenset[str]] = set()
    for identity, mine in known.items():
        ranked = sorted(matcher.joint_with(identity).items(), key=lambda it: (-it[1].score, it[0]))
        for other, bond in ranked[:5]:
            theirs = known[other]
            pair = frozenset((identity, other))
            if pair in seen or (mine.visible and theirs.visible):
                continue
            seen.add(pair)
            assert bond.reason
            left, right = matcher.get(identity), matcher.get(other)
            assert left is not None
            assert right is not None
            good = same_purchase(mine.code, theirs.code, left.title, right.title)
            kind = "planted" if mine.planted or theirs.planted else "natural"
            tally[kind][0] += good
            tally[kind][1] += 1
            if not good:
                wrong.append(
                    f"  {kind} {bond.score} {left.title[:60]} ({mine.code}) | "
                    f"{right.title[:60]} ({theirs.code})"
                )
    counted = {kind: f"{good} of {of} right" for kind, (good, of) in tally.items()}
    _show(capsys, f"joint, first five of each: {counted}; wrong by the codes:", wrong)
    right_in_all, judged = (sum(row[n] for row in tally.values()) for n in (0, 1))
    assert judged >= 150
    assert right_in_all / judged >= 0.8
    assert tally["natural"][0] / tally["natural"][1] >= 0.8


def _show(capsys: pytest.CaptureFixture[str], head: str, wrong: list[str]) -> None:
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join([head, *wrong]) + "\n")
