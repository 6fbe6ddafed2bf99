"""Model: word vectors in a file of a few MB, and the vectors of texts that they give. Pure but for
reading and writing the file.

A model is an input of linking: its version is a hash of what it holds, and the same version gives
the same likeness on every machine, since vectors are stored as whole numbers.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from importlib.resources import as_file, files
from math import sqrt
from pathlib import Path
from typing import Any, Final, cast
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from traverse_stream_processors.likeness.errors import LikenessModelError
from traverse_stream_processors.likeness.terms import stem, words_of

Floats = NDArray[np.float32]
Vector = NDArray[np.float32]
"""The vector of a text: `Model.dimensions` whole numbers, -127 to 127, of length 127. Products of
two are exact in single precision, so that likeness is the same on every machine."""

_FORM: Final = 1
_STEPS: Final = 127  # of a number in a stored vector
_SQUARE: Final = float(_STEPS * _STEPS)
_WEIGHTS: Final = 1000  # of a term, in thousandths
_HUNDREDTHS: Final = 100  # of a part of a text
_WORDS_MET: Final = 200_000
_ROOM: Final = 5_000  # for vectors of unknown words
_STEM_SHARED: Final = 5  # letters that an unknown term shares with its kin, at least
_STEM_SHARE: Final = 0.6  # of its letters


@dataclass(frozen=True, slots=True)
class Model:
    """`terms` in order; for each a vector (whole numbers, -127 to 127, one row a term) and a weight
    (0 to 1, small for frequent terms); `common` is what all texts share."""

    version: str
    terms: tuple[str, ...]
    rows: NDArray[np.int8]
    weights: Floats
    common: Floats

    @classmethod
    def of(cls, terms: Sequence[str], vectors: Floats, weights: Floats, common: Floats) -> "Model":
        """A model of these vectors (rows of length 1), with its version."""
        rows = np.rint(vectors * _STEPS).astype(np.int8)
        light = np.round(weights, 4).astype(np.float32)
        shared = np.round(common, 4).astype(np.float32)
        return cls(_version(terms, rows, light, shared), tuple(terms), rows, light, shared)

    @property
    def dimensions(self) -> int:
        return int(self.rows.shape[1])

    def save(self, path: Path) -> None:
        """Write the model; the same model gives the same octets."""
        arrays: dict[str, Any] = {
            "form": np.array(_FORM),
            "terms": np.frombuffer("\n".join(self.terms).encode(), dtype=np.uint8),
            "rows": self.rows,
            "weights": self.weights,
            "common": self.common,
            "version": np.frombuffer(self.version.encode(), dtype=np.uint8),
        }
        part = path.with_name(f"{path.name}.part.npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(part, **arrays)
        part.replace(path)  # who reads meanwhile sees the old one or the new one

    @classmethod
    def load(cls, path: Path) -> "Model":
        """Read a model. Raises LikenessModelError when it is missing, damaged or of another form.

        Nothing of the file is executed: it holds arrays of numbers only.
        """
        mend = "refaites-le avec « traverse train », ou retirez-le."
        try:
            with np.load(path, allow_pickle=False) as arrays:
                form = int(arrays["form"])
                found = cls(
                    arrays["version"].tobytes().decode(),
                    tuple(arrays["terms"].tobytes().decode().split("\n")),
                    arrays["rows"],
                    arrays["weights"],
                    arrays["common"],
                )
        except (OSError, ValueError, KeyError, BadZipFile, EOFError) as error:
            raise LikenessModelError(
                f"Le modèle {path} ne se lit pas ({type(error).__name__}) : {mend}"
            ) from error
        held = _version(found.terms, found.rows, found.weights, found.common)
        if form != _FORM or held != found.version:
            raise LikenessModelError(f"Le modèle {path} est abîmé ou d'une autre forme : {mend}")
        return found


def _version(terms: Sequence[str], rows: NDArray[np.int8], weights: Floats, common: Floats) -> str:
    digest = blake2b("\n".join(terms).encode(), digest_size=8)
    for array in (rows, weights, common):
        digest.update(str(array.shape).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def base_model() -> Model:
    """The model that comes with the product, learnt from the CPV's French labels and our lists of
    words (`base_passages`); some 20 ms to load."""
    with as_file(files("traverse_stream_processors.likeness").joinpath("data/base.npz")) as path:
        return Model.load(path)


def model_at(path: Path) -> Model:
    """The model of a file, or the one that comes with the product where there is no such file."""
    return Model.load(path) if path.is_file() else base_model()


class Vectoriser:
    """Gives the vectors of texts. Remembers the words it has met, within a bound; one a thread."""

    def __init__(self, model: Model) -> None:
        self.version = model.version
        self._terms = model.terms
        self._position = {term: row for row, term in enumerate(model.terms)}
        # The first rows are the model's terms, the rest are made for unknown words as they come.
        room = np.zeros((_ROOM, model.dimensions), np.int8)
        self._rows = np.vstack([model.rows, room])
        light = np.rint(model.weights * _WEIGHTS).astype(np.float64)
        self._weights = np.append(light, np.full(_ROOM, float(_WEIGHTS)))
        self._used = len(model.terms)
        self._common = model.common.astype(np.float64)
        self._row_of_word: dict[str, int] = {}
        self._resets = 0

    def of(self, *parts: tuple[str | Sequence[str], float]) -> Vector | None:
        """The vector of a text in parts (or their words, folded), each with its weight (two
        decimals count); None when no word says anything. A repeated word counts once, by its first
        part.

        Some 15 microseconds for a title and the words of a label.
        """
        resets = self._resets
        chosen = self._chosen(parts)
        if resets != self._resets:  # the rows of some of these words went to others meanwhile
            chosen = self._chosen(parts)
        return self._sum(chosen)

    def _chosen(self, parts: Sequence[tuple[str | Sequence[str], float]]) -> dict[int, int]:
        """The rows of the words that say anything, each with its weight in hundredths."""
        chosen: dict[int, int] = {}
        for text, weight in reversed(parts):  # the weight of the first part is what stays
            if not text:
                continue
            words = words_of(text) if isinstance(text, str) else text
            rows = list(map(self._row_of_word.get, words))
            if None in rows:
                rows = [self._row(word) for word in words]
            chosen.update(dict.fromkeys(cast("list[int]", rows), round(weight * _HUNDREDTHS)))
        chosen.pop(-1, None)
        return chosen

    def _row(self, word: str) -> int:
        row = self._row_of_word.get(word)
        return self._meet(word) if row is None else row

    def of_terms(self, terms: Iterable[str]) -> Vector | None:
        """The vector of terms that the model knows; others are passed over."""
        found = (self._position.get(term, -1) for term in terms)
        return self._sum(dict.fromkeys((row for row in found if row >= 0), _HUNDREDTHS))

    def knows(self, word: str) -> bool:
        """Whether the model has learnt this very word, or another of its stem."""
        return stem(word) in self._position

    def _sum(self, chosen: dict[int, int]) -> Vector | None:
        """The vector of these rows, each with its weight in hundredths."""
        if not chosen:
            return None
        places = np.fromiter(chosen, np.intp, len(chosen))
        weights = np.fromiter(chosen.values(), np.float64, len(chosen))
        # Whole numbers in doubles: their sums are exact in any order, on every machine.
        whole = weights * self._weights.take(places) @ self._rows.take(places, axis=0)
        whole -= self._common * (whole @ self._common)
        length = sqrt(whole @ whole)
        if length < 1e-6:
            return None
        found: Vector = np.rint(whole * (_STEPS / length)).astype(np.float32)
        return found

    def _meet(self, word: str) -> int:
        """The row of a word met for the first time; -1 when nothing is known of it."""
        term = stem(word)
        row = self._position.get(term, -1)
        if row < 0:
            kin = self._kin(term)
            if kin is not None:
                if self._used == len(self._rows):  # forget all that is not the model's
                    self._used = len(self._terms)
                    self._row_of_word.clear()
                    self._resets += 1
                row, self._used = self._used, self._used + 1
                self._rows[row] = np.rint(kin)
        if len(self._row_of_word) >= _WORDS_MET:
            self._row_of_word.clear()
        self._row_of_word[word] = row
        return row

    def _kin(self, term: str) -> NDArray[Any] | None:
        """For a compound ("microcrèche", "hydrocurage") the row of its end, where that is known;
        else the mean of the known terms that share the longest beginning with an unknown one."""
        for start in range(2, len(term) - 4):
            position = self._position.get(term[start:])
            if position is not None:
                compound: NDArray[np.int8] = self._rows[position]
                return compound
        least = max(_STEM_SHARED, round(len(term) * _STEM_SHARE))
        for length in range(len(term), least - 1, -1):
            beginning = term[:length]
            first = bisect_left(self._terms, beginning)
            last = bisect_left(self._terms, beginning + "\uffff")
            if last > first:
                mean: NDArray[np.float64] = self._rows[first : min(last, first + 20)].mean(axis=0)
                return mean
        return None


def mean_of(vectors: Sequence[Vector]) -> Vector:
    """The vector of what texts have in common, of the same length as theirs."""
    # Whole numbers in doubles: exact.
    whole: NDArray[np.float64] = np.array(vectors, np.float64).sum(axis=0)
    length = sqrt(whole @ whole)
    found: Vector = np.rint(whole * (_STEPS / max(length, 1.0))).astype(np.float32)
    return found


def nearness(left: Vector | None, right: Vector | None) -> float:
    """How near two texts are, -1 to 1: the cosine of their vectors; 0 where one says nothing.
    Under a microsecond."""
    return 0.0 if left is None or right is None else float(left.dot(right)) / _SQUARE
