"""How often `same` is right on real records: precision and recall on the half of the judged set
that no threshold was chosen on. With -s, the sums of each sort and the list of what is wrong."""
# ruff: noqa: T201 -- the list is what one runs it for

from collections import Counter
from pathlib import Path

import pytest

from tests.stream_processors.linking.judged import (
    Judged,
    false_inside,
    judged_set,
    procedures,
    read_states,
)
from traverse_schemas.log.record_state import RecordState
from traverse_stream_processors.linking.book import Book
from traverse_stream_processors.linking.features import features_of
from traverse_stream_processors.linking.judge import LinkType, judge
from traverse_stream_processors.linking.linker import Linker
from traverse_stream_processors.linking.same import aspects, score

pytestmark = [pytest.mark.realdata, pytest.mark.long]


@pytest.fixture(scope="module")
def states(shared_data: Path) -> list[RecordState]:
    return read_states(shared_data, "decp", "ted")


@pytest.fixture(scope="module")
def pairs(states: list[RecordState], shared_data: Path) -> list[Judged]:
    return judged_set(states, read_states(shared_data, "fonds-vert"))


@pytest.fixture(scope="module")
def linker(states: list[RecordState], pairs: list[Judged]) -> Linker:
    """Knows all records of the files, and the planted ones."""
    found = Linker()
    for state in states:
        found.put(state["id"], features_of(state))
    for pair in pairs:
        found.put(pair.left.id, pair.left)
        found.put(pair.right.id, pair.right)
    return found


@pytest.fixture(scope="module")
def book(linker: Linker) -> Book:
    """A pair counts only if blocking finds it."""
    return linker.book


def said_same(pair: Judged, book: Book) -> bool:
    judgement = judge(pair.left, pair.right)
    if judgement is None or judgement.type is not LinkType.SAME:
        return False
    return pair.right.id in {one.id for one in book.candidates(pair.left)}


def test_the_set_is_large_and_of_every_sort(pairs: list[Judged]) -> None:
    counts = Counter(pair.same for pair in pairs)
    assert counts[True] >= 500
    assert counts[False] >= 500
    assert sum(pair.natural and pair.same for pair in pairs) >= 180
    assert len({pair.sort for pair in pairs}) == 13


def test_precision_and_recall(pairs: list[Judged], book: Book) -> None:
    wrong = []
    sums: Counter[tuple[int, str, str]] = Counter()
    for pair in pairs:
        said = said_same(pair, book)
        kind = ("true" if said else "missed") if pair.same else ("false" if said else "apart")
        sums[pair.half, pair.sort, kind] += 1
        if said != pair.same:
            wrong.append((pair, kind))
    natural = {pair.sort for pair in pairs if pair.natural}
    for half in (0, 1):
        print(f"\nhalf {half}, precision and recall: {_figures(sums, half)}")
        for name, sorts in (("natural", natural), ("planted", {*_sorts(sums)} - natural)):
            some = Counter({key: count for key, count in sums.items() if key[1] in sorts})
            print(f" {name}: {_figures(some, half)}")
        for sort in _sorts(sums):
            found = {kind: sums[half, sort, kind] for kind in ("true", "missed", "false", "apart")}
            print(f"  {sort:24}", {kind: count for kind, count in found.items() if count})
    for pair, kind in wrong:
        why = ", ".join(f"{aspect.name} {points:+.1f}" for aspect, points in aspects(*pair[3:]))
        print(f"{kind} ({pair.sort}, half {pair.half}) {score(*pair[3:]):.3f}: {why}")
        print(f"   {' '.join(pair.left.words)}\n   {' '.join(pair.right.words)}")
    precision, recall = _figures(sums, 1)
    assert precision >= 0.99
    assert recall >= 0.92
    projects = [pair for pair in pairs if pair.sort == "project of a commune" and pair.half == 1]
    assert sum(said_same(pair, book) for pair in projects) >= 0.75 * len(projects)


def test_what_is_together_belongs_together(
    states: list[RecordState], pairs: list[Judged], linker: Linker
) -> None:
    """The groups of all records at once: a third record puts no two together that are not one. With
    -s, those that are."""
    planted = procedures(states)
    for one in (one for procedure in planted for one in procedure):
        linker.put(one.id, one)
    groups = linker.groups(one.id for one in linker.book)
    things = [thing for group in groups for thing in group.things]
    thing_of = {one: thing for thing in things for one in thing}
    together = sum(len(thing) * (len(thing) - 1) // 2 for thing in things)
    natural = false_inside([tuple(map(linker.book.at_id, thing)) for thing in things])
    judged = [
        (pair.left, pair.right)
        for pair in pairs
        if not pair.same and pair.right.id in thing_of[pair.left.id]
    ]
    for left, right in (*natural, *judged):
        print(f"{left.source} {left.references} {left.amount} {' '.join(left.words)}")
        print(f"   {right.source} {right.references} {right.amount} {' '.join(right.words)}")
    joined = [
        procedure for procedure in planted if len({thing_of[one.id] for one in procedure}) < 3
    ]
    print(f"{together} pairs in things, {len(natural)} false; of the judged misses {len(judged)}")
    assert len(joined) <= len(planted) * 0.01
    assert together > 500
    # 20 of 1,296: 15 of them are one group, six orders of one college under one title, each under a
    # number of its own.
    assert len(natural) <= together * 0.02
    assert len(judged) <= sum(not pair.same for pair in pairs) * 0.01


def _sorts(sums: Counter[tuple[int, str, str]]) -> list[str]:
    return sorted({name for _, name, _ in sums})


def _figures(sums: Counter[tuple[int, str, str]], half: int) -> tuple[float, float]:
    def count(kind: str) -> int:
        return sum(
            number for (where, _, what), number in sums.items() if (where, what) == (half, kind)
        )

    true, false, missed = count("true"), count("false"), count("missed")
    return true / (true + false), true / (true + missed)
