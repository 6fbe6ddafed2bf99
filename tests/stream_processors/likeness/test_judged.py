"""Likeness beside BM25 and TF-IDF, on real titles that it has not learnt from."""

import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tests.stream_processors.likeness.judged import (
    TRIPLETS,
    Corpus,
    Judged,
    figures,
    halves,
    titles_with_cpv,
    wrong,
)
from traverse_infra.training import public_contents
from traverse_schemas.log.record_state import RecordState
from traverse_stream_processors.likeness.corpus import base_passages, passages_of
from traverse_stream_processors.likeness.model import Vectoriser, base_model, nearness
from traverse_stream_processors.likeness.terms import terms_of
from traverse_stream_processors.likeness.train import DIMENSIONS, train

pytestmark = [pytest.mark.realdata, pytest.mark.long]
_TITLES, _QUERIES = 600, 80


def test_likeness_finds_more_than_shared_words_do(
    contracts_states: list[RecordState], capsys: pytest.CaptureFixture[str]
) -> None:
    learnt, judged = halves(public_contents(contracts_states))
    rows = titles_with_cpv(judged, _TITLES)
    corpus = Corpus([title for title, _, _ in rows])
    model = train([list(passages_of(one)) for one in learnt], base=list(base_passages()))

    def by_vectors(vectoriser: Vectoriser) -> Callable[[int], Sequence[float]]:
        found = [vectoriser.of((title, 1)) for title, _, _ in rows]
        nothing = np.zeros(DIMENSIONS, np.float32)
        matrix = np.array([nothing if row is None else row for row in found])
        return lambda query: (matrix @ matrix[query]).tolist()

    def by_words(
        score: Callable[[Sequence[str], Sequence[str]], float],
    ) -> Callable[..., list[float]]:
        return lambda query: [score(corpus.terms[query], terms) for terms in corpus.terms]

    trained, base = by_vectors(Vectoriser(model)), by_vectors(Vectoriser(base_model()))
    tfidf = by_words(corpus.tfidf)

    def both(query: int) -> list[float]:
        pairs = zip(trained(query), tfidf(query), strict=True)
        return [near / 127**2 + 0.7 * shared for near, shared in pairs]

    def near(vectoriser: Vectoriser) -> Callable[[str, str], float]:
        return lambda left, right: nearness(vectoriser.of((left, 1)), vectoriser.of((right, 1)))

    of_base, of_trained = near(Vectoriser(base_model())), near(Vectoriser(model))
    missed = {
        "BM25": wrong(lambda a, b: corpus.bm25(terms_of(a), terms_of(b))),
        "TF-IDF": wrong(lambda a, b: corpus.tfidf(terms_of(a), terms_of(b))),
        "base": wrong(of_base),
        "trained": wrong(of_trained),
        "trained + TF-IDF": wrong(
            lambda a, b: of_trained(a, b) + 0.7 * corpus.tfidf(terms_of(a), terms_of(b))
        ),
    }
    table: dict[str, Judged] = {
        "BM25": figures(by_words(corpus.bm25), rows, _QUERIES),
        "TF-IDF": figures(tfidf, rows, _QUERIES),
        "base": figures(base, rows, _QUERIES),
        "trained": figures(trained, rows, _QUERIES),
        "trained + TF-IDF": figures(both, rows, _QUERIES),
    }
    lines = [
        f"{len(learnt)} records learnt, {len(rows)} titles judged, {_QUERIES} queries",
        f"{'':18}   P@5  R@50   MAP  wrong of {len(TRIPLETS)}",
        *(
            f"{name:18} {row[0]:5.3f} {row[1]:5.3f} {row[2]:5.3f}  {len(missed.get(name, ()))}"
            for name, row in table.items()
        ),
        *(f"  wrong: {' | '.join(triplet)}" for triplet in missed["trained"]),
    ]
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert len(missed["trained"]) <= len(TRIPLETS) // 4
    words = max(table["BM25"].mean_average_precision, table["TF-IDF"].mean_average_precision)
    assert table["trained"].mean_average_precision > 0.95 * words
    assert table["trained + TF-IDF"].mean_average_precision > 1.05 * words
