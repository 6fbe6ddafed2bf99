"""Topics: the themes under which a record is looked for: its own; and for one without a CPV code
those of the CPV's classes that are nearest to its words, so that it meets what has codes; and of
each theme the codes that are nearest to them. Pure."""

from functools import lru_cache
from typing import Final

import numpy as np

from traverse_schemas.reference.cpv import cpv_table
from traverse_schemas.reference.themes import theme_of_cpv
from traverse_schemas.values.cpv import cpv_ancestors
from traverse_stream_processors.likeness.model import Floats, Vector, Vectoriser, mean_of

_NEAREST: Final = 16  # classes
MOST_TOPICS: Final = 6
"""Themes under which one record is looked for."""

_CODE: Final = 6  # significant digits: finer codes say no more of the theme
_CLASS: Final = 4  # of what is compared: the codes of a class together
_NEAREST_CODES: Final = 12  # of a theme


@lru_cache(maxsize=20_000)
def significant(code: str) -> str:
    """A CPV code without the zeros that stand for "all of it": `"45230000"` -> `"4523"`."""
    return code[:8].rstrip("0").ljust(2, "0")


class Topics:
    """The classes of the CPV in the space of a model, each where its codes lie together; half a
    second to make. A theme is found as often by them as by the codes themselves, of which there are
    five times as many."""

    def __init__(self, vectoriser: Vectoriser) -> None:
        self.vectoriser = vectoriser
        self.version = vectoriser.version
        table = cpv_table()
        classes: dict[tuple[str, str], list[Vector]] = {}
        codes: dict[str, list[tuple[str, Vector]]] = {}
        for code, label in table.items():
            theme = theme_of_cpv(code)
            if theme is None:
                continue
            above = " ".join(table.get(step, "") for step in cpv_ancestors(code)[1:2])
            vector = vectoriser.of((label, 1), (above, 0.3))
            if vector is None:
                continue
            codes.setdefault(theme, []).append((significant(code), vector))
            if not code[_CODE:].strip("0"):
                classes.setdefault((code[:_CLASS], theme), []).append(vector)
        self._matrix = np.array([mean_of(vectors) for vectors in classes.values()])
        self._themes = [theme for _, theme in classes]
        self._codes = {theme: [code for code, _ in found] for theme, found in codes.items()}
        self._vectors = {
            theme: np.array([vector for _, vector in found]) for theme, found in codes.items()
        }

    def of(self, themes: tuple[str, ...], vector: Vector | None) -> tuple[str, ...]:
        """The record's own themes, then those of the nearest classes, six in all. Some 20
        microseconds."""
        if vector is None:
            return themes
        rows = _nearest(self._matrix, vector, _NEAREST)
        found = dict.fromkeys((*themes, *(self._themes[row] for row in rows)))
        return tuple(found)[:MOST_TOPICS]

    def codes_near(self, theme: str, vector: Vector | None) -> tuple[str, ...]:
        """The codes of a theme, by their significant digits, that are nearest. Some 10
        microseconds."""
        codes = self._codes.get(theme)
        if vector is None or codes is None:
            return ()
        rows = _nearest(self._vectors[theme], vector, _NEAREST_CODES)
        return tuple(codes[row] for row in rows)


def _nearest(matrix: Floats, vector: Vector, many: int) -> list[int]:
    """The rows that are nearest, the nearest first, ties by their order."""
    # Whole numbers below 2^24: exact, so that ties are ties on every machine.
    near = matrix @ vector
    # Only what is as near as the last of the nearest is put in order.
    last = max(0, len(near) - many)
    ordered = near.copy()
    ordered.partition(last)
    rows = (near >= ordered[last]).nonzero()[0]
    found: list[int] = rows[(-near[rows]).argsort(kind="stable")][:many].tolist()
    return found
