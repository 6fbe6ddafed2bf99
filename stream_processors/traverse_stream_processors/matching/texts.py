"""Texts: what a record says in words, and what is read from them only when it meets another."""

from functools import cached_property

from traverse_stream_processors.likeness.model import Vector, Vectoriser
from traverse_stream_processors.linking.words import fold, words_of
from traverse_stream_processors.matching.roles import Beneficiaries, beneficiaries_of


class Texts:
    """The title, the beginning of the description and the labels of the codes of a record."""

    def __init__(
        self, title: str, description: str, labels: tuple[str, ...], vectoriser: Vectoriser
    ) -> None:
        self.title = title  # of a firm's need: its trade
        self.description = description
        self.labels = labels
        self._vectoriser = vectoriser

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Texts) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[str, str, tuple[str, ...], str]:
        return (self.title, self.description, self.labels, self._vectoriser.version)

    @cached_property
    def vector(self) -> Vector | None:
        """What it is about: the title most, then its codes' labels, then the description."""
        labels = " ".join(self.labels[:2])
        return self._vectoriser.of((self.title, 1), (labels, 0.5), (self.description, 0.25))

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of the title."""
        return words_of(fold(self.title))

    @cached_property
    def open_to(self) -> Beneficiaries:
        """Whom the words name as beneficiaries."""
        return beneficiaries_of(self.title, self.description)
