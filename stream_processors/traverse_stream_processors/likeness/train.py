"""Train: word vectors from what occurs together. Pure and deterministic.

Positive pointwise mutual information of terms and their contexts, then a truncated singular value
decomposition (Levy, Goldberg and Dagan 2015, "Improving Distributional Similarity with Lessons
Learned from Word Embeddings"); contexts are smoothed by 0.75 and singular values enter by their
square root, as they advise. Document vectors weigh terms by a / (a + frequency) and leave out the
direction that all share (Arora, Liang and Ma 2017, "A Simple but Tough-to-Beat Baseline for
Sentence Embeddings").

The same passages in any order give the same model: they are sorted first, the decomposition starts
from a fixed vector, and its signs follow one convention.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final
from zlib import crc32

import numpy as np
from scipy.sparse import csr_matrix, diags
from scipy.sparse.linalg import svds

from traverse_stream_processors.likeness.corpus import LABEL, Passage
from traverse_stream_processors.likeness.errors import TooLittleTextError
from traverse_stream_processors.likeness.model import Floats, Model, Vectoriser

DIMENSIONS: Final = 96
MOST_TERMS: Final = 24_000
"""The most frequent terms and labels are kept: a few MB, whatever was read."""
MOST_PASSAGES: Final = 300_000
"""More are sampled by a hash of what they say, never by arrival."""

_SMOOTHING: Final = 0.75
_SIF: Final = 1e-3
_RECORDS_A_WORD: Final = 3


def train(
    texts: Iterable[Sequence[Passage]],
    *,
    base: Sequence[Passage] = (),
    dimensions: int = DIMENSIONS,
) -> Model:
    """A model of what occurs together in the passages of these texts (one sequence a record) and
    of the base. Equal passages count once.

    A word that fewer than three records hold, and the base does not, is not learnt: names of
    people do not get into the model, and what was erased cannot be read from it. Some 30 s for
    50,000 passages on one core. Raises TooLittleTextError below 3 terms a dimension.
    """
    found = set(base)
    known = {term for passage in base for term in passage.terms}
    spread: Counter[str] = Counter()
    for text in texts:
        found.update(text)
        spread.update({term for passage in text for term in passage.terms})
    known |= {term for term, records in spread.items() if records >= _RECORDS_A_WORD}
    kept = _sample({passage for passage in found if len(passage.terms) > 1})
    counts: Counter[str] = Counter()
    for passage in kept:
        for term in passage.terms:
            if term in known:
                counts[term] += passage.weight
    ranked = sorted(counts, key=lambda term: (-counts[term], term))[:MOST_TERMS]
    if len(ranked) < 3 * dimensions:
        raise TooLittleTextError(
            f"Il y a trop peu de textes pour apprendre ({len(ranked)} mots) : "
            "publiez ou importez davantage, ou gardez le modèle de base."
        )
    vocabulary = sorted(ranked)
    vectors = _factors(_information(_together(kept, vocabulary)), dimensions)
    words = [row for row, term in enumerate(vocabulary) if not term.startswith(LABEL)]
    total = sum(counts[vocabulary[row]] for row in words)
    frequency = np.array([counts[vocabulary[row]] / total for row in words])
    weights = (_SIF / (_SIF + frequency)).astype(np.float32)
    terms = [vocabulary[row] for row in words]
    bare = Model.of(terms, vectors[words], weights, np.zeros(dimensions, np.float32))
    return Model.of(terms, vectors[words], weights, _common(bare, kept))


def _sample(passages: set[Passage]) -> list[Passage]:
    if len(passages) > MOST_PASSAGES:
        order = sorted(passages, key=lambda one: (crc32(" ".join(one.terms).encode()), one))
        return sorted(order[:MOST_PASSAGES])
    return sorted(passages)


def _together(passages: list[Passage], vocabulary: list[str]) -> csr_matrix:
    """How often two terms occur in one passage; a passage counts the same however long it is."""
    row_of = {term: row for row, term in enumerate(vocabulary)}
    columns: list[int] = []
    starts = [0]
    weights: list[float] = []
    for passage in passages:
        rows = [row_of[term] for term in passage.terms if term in row_of]
        if len(rows) < 2:
            continue
        columns += rows
        starts.append(len(columns))
        weights.append(passage.weight / (len(rows) - 1))
    shape = (len(weights), len(vocabulary))
    holds = csr_matrix((np.ones(len(columns)), columns, starts), shape=shape)
    together = (holds.T @ diags(np.array(weights)) @ holds).tocsr()
    together.setdiag(0)
    together.eliminate_zeros()
    return together


def _information(together: csr_matrix) -> csr_matrix:
    """PPMI of the counts, contexts smoothed."""
    of_term = np.asarray(together.sum(axis=1)).ravel()
    smoothed = of_term**_SMOOTHING
    smoothed /= smoothed.sum()
    cells = together.tocoo()
    expected = of_term[cells.row] * smoothed[cells.col]
    values = np.log(np.maximum(cells.data / np.maximum(expected, 1e-12), 1e-12))
    found = csr_matrix((np.maximum(values, 0), (cells.row, cells.col)), shape=together.shape)
    found.eliminate_zeros()
    return found


def _factors(information: csr_matrix, dimensions: int) -> Floats:
    """One row a term: the left singular vectors by the root of their values, of length 1."""
    start = np.ones(min(information.shape))
    left, values, _ = svds(information, k=dimensions, v0=start)
    order = np.argsort(-values, kind="stable")
    left, values = left[:, order], values[order]
    # A singular vector and its opposite are both right: the largest entry is positive.
    largest = np.abs(left).argmax(axis=0)
    left = left * np.where(left[largest, np.arange(dimensions)] < 0, -1.0, 1.0)
    rows = left * np.sqrt(values)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = (rows / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit


def _common(model: Model, passages: list[Passage]) -> Floats:
    """The direction that all texts share: the first singular vector of their vectors."""
    vectoriser = Vectoriser(model)
    step = max(1, len(passages) // 20_000)
    rows = [vectoriser.of_terms(passage.terms) for passage in passages[::step]]
    matrix = np.array([row for row in rows if row is not None], dtype=np.float64)
    _, vectors = np.linalg.eigh(matrix.T @ matrix)
    first = vectors[:, -1]
    sign = -1.0 if first[np.abs(first).argmax()] < 0 else 1.0
    found: Floats = (first * sign).astype(np.float32)
    return found
