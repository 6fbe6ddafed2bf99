"""What likeness costs: octets of a model, and time as a ratio to other work on the same texts, so
that a busy or slow machine says the same."""

import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from tests.stream_processors.likeness.judged import TRIPLETS
from traverse_stream_processors.likeness.model import Model, Vectoriser, base_model, nearness
from traverse_stream_processors.likeness.terms import words_of
from traverse_stream_processors.likeness.train import DIMENSIONS, MOST_TERMS
from traverse_stream_processors.linking.words import fold, likeness
from traverse_stream_processors.linking.words import words_of as title_words

MB = 2**20
TITLES = [title for triplet in TRIPLETS for title in triplet]
PAIRS = [(left, right) for left in TITLES[:40] for right in TITLES[40:80]]


@pytest.fixture(scope="module")
def largest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of as many terms as may be learnt."""
    drawn = np.random.default_rng(7)
    vectors = drawn.normal(size=(MOST_TERMS, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    terms = [f"terme{number:06}" for number in range(MOST_TERMS)]
    weights = drawn.uniform(size=MOST_TERMS).astype(np.float32)
    path = tmp_path_factory.mktemp("model") / "largest.npz"
    Model.of(terms, vectors, weights, vectors[0]).save(path)
    return path


def cost(work: Callable[[], object]) -> float:
    """Seconds of CPU: the least of five turns."""
    turns = []
    for _ in range(5):
        start = time.process_time()
        work()
        turns.append(time.process_time() - start)
    return min(turns)


def test_a_model_is_a_few_megabytes(largest: Path) -> None:
    """In its file and in memory: that of the product, and the largest that may be learnt."""
    base = Path(str(files("traverse_stream_processors.likeness").joinpath("data/base.npz")))
    assert base.stat().st_size < 1 * MB
    assert largest.stat().st_size < 4 * MB
    assert Model.load(largest).rows.nbytes < 4 * MB


def test_a_model_is_read_in_little_more_than_its_arrays_are(largest: Path) -> None:
    def arrays() -> None:
        with np.load(largest, allow_pickle=False) as found:
            assert all(found[name].size for name in found.files)

    assert cost(lambda: Model.load(largest)) < 5 * cost(arrays)


def test_to_compare_two_vectors_costs_a_few_times_what_two_titles_cost() -> None:
    """Once both are read."""
    vectoriser = Vectoriser(base_model())
    vectors = {title: vectoriser.of((title, 1)) for title in TITLES}
    words = {title: title_words(fold(title)) for title in TITLES}

    def by_vectors() -> None:
        for left, right in PAIRS * 10:
            nearness(vectors[left], vectors[right])

    def by_words() -> None:
        for left, right in PAIRS * 10:
            likeness(words[left], words[right])

    assert cost(by_vectors) < 10 * cost(by_words)


def test_to_read_what_a_title_is_about_costs_as_much_as_to_read_its_words_a_few_times() -> None:
    vectoriser = Vectoriser(base_model())

    def vectors() -> None:
        for title in TITLES * 20:
            vectoriser.of((title, 1))

    def words() -> None:
        for title in TITLES * 20:
            words_of(title)

    vectors()  # words are met for the first time once
    assert cost(vectors) < 30 * cost(words)
