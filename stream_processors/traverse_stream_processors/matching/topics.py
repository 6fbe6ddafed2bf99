"""Topics: the themes under which a record is looked for: its own; and for one without a CPV code
those of the codes whose words are nearest to its own, so that it meets what has codes. Pure."""

from typing import Final

import numpy as np

from traverse_schemas.reference.cpv import cpv_table
from traverse_schemas.reference.themes import theme_of_cpv
from traverse_schemas.values.cpv import cpv_ancestors
from traverse_stream_processors.likeness.model import Vector, Vectoriser

_NEAREST: Final = 12  # codes
_MOST: Final = 6  # themes
_DEPTH: Final = 6  # significant digits: finer codes say no more of the theme


class Topics:
    """The codes of the CPV in the space of a model; half a second to make."""

    def __init__(self, vectoriser: Vectoriser) -> None:
        table = cpv_table()
        rows: list[Vector] = []
        self._themes: list[str] = []
        for code, label in table.items():
            theme = theme_of_cpv(code)
            if theme is None or code[_DEPTH:].strip("0"):
                continue
            above = " ".join(table.get(step, "") for step in cpv_ancestors(code)[1:2])
            vector = vectoriser.of((label, 1), (above, 0.3))
            if vector is not None:
                rows.append(vector)
                self._themes.append(theme)
        self._matrix = np.array(rows)

    def of(self, themes: tuple[str, ...], vector: Vector | None) -> tuple[str, ...]:
        """The record's own themes, then those of the nearest codes, six in all."""
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
