"""Topics: the themes under which a record is looked for: its own, and those its words are nearest
to, so that a record without a CPV code meets those that have one. Pure."""

from traverse_schemas.reference.theme_words import WORDS
from traverse_schemas.reference.themes import THEMES
from traverse_stream_processors.likeness.model import Vector, Vectoriser, nearness

_NEAREST = 5


class Topics:
    """The middle of each theme in the space of a model."""

    def __init__(self, vectoriser: Vectoriser) -> None:
        words: dict[str, list[str]] = {}
        for word, theme in WORDS.items():
            words.setdefault(theme, []).append(word)
        self._middles = [
            (theme, vectoriser.of((label, 1), (" ".join(words.get(theme, ())), 0.5)))
            for theme, label in THEMES.items()
        ]

    def of(self, themes: tuple[str, ...], vector: Vector | None) -> tuple[str, ...]:
        """The record's own themes, and without a CPV code the five nearest to its words."""
        if vector is None:
            return themes
        ranked = sorted(
            ((-nearness(vector, middle), theme) for theme, middle in self._middles),
        )[:_NEAREST]
        return tuple(dict.fromkeys((*themes, *(theme for near, theme in ranked if near < -0.1))))
