"""Texts: what a record says in words, and what is read from them only when it meets another."""

from functools import lru_cache
from typing import Any

from traverse_stream_processors.likeness import terms
from traverse_stream_processors.likeness.model import Vector
from traverse_stream_processors.linking.words import fold, words_of
from traverse_stream_processors.matching.roles import Beneficiaries, beneficiaries_of
from traverse_stream_processors.matching.topics import Topics


class Texts:
    """The title, the beginning of the description and the labels of the codes of a record. Read
    when first asked for: `vector`, what it is about (None: nothing); `words` of the title;
    `open_to`, whom the words name as beneficiaries.

    Hundreds of thousands are held, most of which nobody asks: no room for what is not read.
    """

    __slots__ = (
        "_codes", "_topics", "description", "labels", "open_to", "title", "vector", "words",
    )  # fmt: skip

    vector: Vector | None
    words: frozenset[str]
    open_to: Beneficiaries
    _codes: dict[str, tuple[str, ...]]

    def __init__(
        self, title: str, description: str, labels: tuple[str, ...], topics: Topics
    ) -> None:
        self.title = title  # of a firm's need: its trade
        self.description = description
        self.labels = labels
        self._topics = topics

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Texts) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, str, tuple[str, ...], str]:
        return (self.title, self.description, self.labels, self._topics.version)

    def codes_of(self, theme: str) -> tuple[str, ...]:
        """The CPV codes of a theme that are nearest to what it is about, by their significant
        digits."""
        found = self._codes.get(theme)
        if found is None:
            found = self._codes[theme] = self._topics.codes_near(theme, self.vector)
        return found

    def __getattr__(self, name: str) -> Any:
        """Read a text the first time that it is asked for; from then on it is there."""
        match name:
            case "vector":
                # The title most, then its codes' labels, then the description.
                self.vector = self._topics.vectoriser.of(
                    (self.title, 1), (_said_by(self.labels[:2]), 0.5), (self.description, 0.25)
                )
            case "_codes":
                self._codes = {}
            case "words":
                self.words = words_of(fold(self.title))
            case "open_to":
                self.open_to = beneficiaries_of(self.title, self.description)
            case _:
                raise AttributeError(name)
        return getattr(self, name)


@lru_cache(maxsize=10_000)
def _said_by(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The words of labels, which many records share."""
    return tuple(terms.words_of(" ".join(labels)))
