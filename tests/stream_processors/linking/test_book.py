"""Who is looked at as perhaps the same does not depend on who came first."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stream_processors.linking.records import features
from traverse_stream_processors.linking.book import Book
from traverse_stream_processors.linking.features import Features

_TITLES = ("Réfection de la voirie communale", "Réfection des trottoirs", "Achat de mobilier")
# Enough of a kind to crowd the keys of a book that bears three.
POOL = [
    features(
        f"R-{number}",
        title=_TITLES[number % 3],
        references=[f"2026-REF-{number % 5}"],
        deadlines=[{"at": f"2026-12-1{number % 2}T12:00"}],
    )
    for number in range(16)
]


def pairs(book: Book) -> set[frozenset[str]]:
    return {frozenset((one.id, other.id)) for one in book for other in book.candidates(one)}


def filled(records: list[Features]) -> Book:
    book = Book(crowded=3)
    for one in records:
        book.put(one.id, one)
    return book


def test_alike_records_are_candidates_and_others_are_not() -> None:
    road, same = features("A"), features("B", title="Réfection de voirie communale")
    other = features(
        "C", title="Achat de mobilier", owner={"id": "210600888"}, url="https://exemple.fr/c",
        deadlines=[{"at": "2027-01-15T12:00"}], place=["com:06088"],
    )  # fmt: skip
    book = filled([road, same, other])
    assert [one.id for one in book.candidates(road)] == [same.id]
    assert book.candidates(other) == []


@settings(max_examples=20, deadline=None)
@given(st.permutations(POOL), st.sets(st.sampled_from(POOL), max_size=10))
def test_candidates_are_a_function_of_the_set(order: list[Features], gone: set[Features]) -> None:
    """Crowded keys too: any order, with records that come and go again."""
    book = filled(order)
    for one in gone:
        book.put(one.id, None)
    left = [one for one in POOL if one not in gone]
    assert pairs(book) == pairs(filled(left))
    assert len(book) == len(left)


@settings(max_examples=20, deadline=None)
@given(st.permutations(POOL))
def test_whose_candidates_change_is_told(order: list[Features]) -> None:
    """A book kept by what `put` tells has the same pairs as one that is asked afresh."""
    book = Book(crowded=3)
    kept: dict[str, set[str]] = {}
    for step, one in enumerate([*order, *order[:6]]):
        gone = step >= len(order)
        placed = book.put(one.id, None if gone else one)
        for mine in kept.pop(one.id, ()):
            kept[mine].discard(one.id)
        if not gone:
            kept[one.id] = set()
        looked = [(one, placed.candidates)] if not gone else []
        looked += [(other, book.candidates(other)) for other in placed.disturbed]
        for each, found in looked:
            for former in kept[each.id]:
                kept[former].discard(each.id)
            kept[each.id] = {other.id for other in found}
            for other in found:
                kept[other.id].add(each.id)
    assert {frozenset((a, b)) for a, found in kept.items() for b in found} == pairs(book)
