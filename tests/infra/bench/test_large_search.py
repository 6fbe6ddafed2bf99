"""Documents and searches by the million: the same each time, and like the real ones."""

from datetime import UTC, datetime
from itertools import islice

from tests.documents import document
from traverse_infra.bench.large_search import Answer, generated, page_figures, searches

NOW = datetime(2026, 3, 12, tzinfo=UTC)
BASE = [
    document(f"{number}", f"Réfection de la voirie numéro {number}", amount=1000.0,
             description=f"Première phrase {number}. Deuxième phrase. Troisième phrase.")
    for number in range(20)
]  # fmt: skip


def test_documents_are_all_different_the_same_each_time_and_as_long_as_real_ones() -> None:
    made = list(generated(BASE, 200, NOW))
    assert made == list(generated(BASE, 200, NOW))
    assert len({one["id"] for one in made}) == 200
    for one in made:
        assert one.keys() >= BASE[0].keys()
        assert 20 < len(one["description"]) < 120
        assert one["published_at"] < "2026-03-13"
    assert {one["title"] for one in made} == {one["title"] for one in BASE}


def test_searches_are_words_of_titles() -> None:
    asked = searches(BASE, 50)
    assert asked == searches(BASE, 50)
    words = {word for one in BASE for word in one["title"].split()}
    assert all(set(one["q"].split()) <= words and one["q"] for one in islice(asked, 50))


def test_a_pages_size_is_told_with_and_without_its_map() -> None:
    """What was refused is counted, and has no size."""
    page = b'<p>un</p><section id="carte" class="map"><p>deux</p></section><p>trois</p>'
    found = page_figures(
        [
            Answer(late=10, spent=9, found=True, timing="", content=page),
            Answer(late=30, spent=9, found=False, timing="", content=b""),
        ]
    )
    assert found["page_octets"]["max"] == len(page)
    assert found["page_octets_without_map"]["max"] == len(b"<p>un</p><p>trois</p>")
    assert (found["pages_refused"], found["page_ms"]["max"]) == (1, 30)
