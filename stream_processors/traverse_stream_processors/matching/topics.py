"""Topics: the themes under which a record is looked for: its own; and for one without a CPV code
those of the CPV's classes that are nearest to its words, so that it meets what has codes. Pure."""

from typing import Final

import numpy as np

from traverse_schemas.reference.cpv import cpv_table
from traverse_schemas.reference.themes import theme_of_cpv
from traverse_schemas.values.cpv import cpv_ancestors
from traverse_stream_processors.likeness.model import Vector, Vectoriser, mean_of

_NEAREST: Final = 16  # classes
_MOST: Final = 6  # themes
_CODE: Final = 6  # significant digits: finer codes say no more of the theme
_CLASS: Final = 4  # of what is compared: the codes of a class together


class Topics:
    """The classes of the CPV in the space of a model, each where its codes lie together; half a
    second to make. A theme is found as often by them as by the codes themselves, of which there are
    five times as many."""

    def __init__(self, vectoriser: Vectoriser) -> None:
        table = cpv_table()
        classes: dict[tuple[str, str], list[Vector]] = {}
        for code, label in table.items():
            theme = theme_of_cpv(code)
            if theme is None or code[_CODE:].strip("0"):
                continue
            above = " ".join(table.get(step, "") for step in cpv_ancestors(code)[1:2])
            vector = vectoriser.of((label, 1), (above, 0.3))
            if vector is not None:
                classes.setdefault((code[:_CLASS], theme), []).append(vector)
        self._matrix = np.array([mean_of(vectors) for vectors in classes.values()])
        self._themes = [theme for _, theme in classes]

    def of(self, themes: tuple[str, ...], vector: Vector | None) -> tuple[str, ...]:
        """The record's own themes, then those of the nearest classes, six in all. Some 20
        microseconds."""
        if vector is None:
            return themes
        # Whole numbers below 2^24: exact, so that ties are ties on every machine.
        near = self._matrix @ vector
        # Only what is as near as the last of the nearest is put in order, ties by code.
        last = len(near) - _NEAREST
        rows = np.flatnonzero(near >= np.partition(near, last)[last])
        order = rows[np.argsort(-near[rows], kind="stable")][:_NEAREST].tolist()
        found = dict.fromkeys((*themes, *(self._themes[row] for row in order)))
        return tuple(found)[:_MOST]
