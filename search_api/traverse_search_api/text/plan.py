"""A text that was typed, as it is read: its units, what was understood, which words may be missing.
Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from traverse_schemas.french.analysis import STOP_WORDS
from traverse_schemas.french.synonyms import conflate
from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.territories import Territories
from traverse_search_api.understanding.amount_words import joined_amounts
from traverse_search_api.understanding.meaning import Reader
from traverse_search_api.words.synonym_book import Meanings
from traverse_search_api.words.typed_words import How, TypedWords, joined_numbers, read
from traverse_search_api.words.units import Understood, Unit

_STOPS: Final = frozenset(STOP_WORDS)
_MOST_ALTERNATIVES: Final = 12  # other words for one unit
_MOST_WITH_OTHERS: Final = 24  # units that have other words: a text that is longer says enough


@dataclass(frozen=True, slots=True)
class TextPlan:
    """What was typed, read: `units` are its words; `whole` the text as typed; `either` are
    those of which one is enough, as units.

    `relaxed` lets some of the words be missing, but never `kept` (the rarest one, which is what
    the search is about) nor what was understood. `broad` ranks by the title alone (`breadth`).
    """

    typed: TypedWords
    units: tuple[Unit, ...]
    whole: str
    relaxed: bool = False
    kept: str = ""
    broad: bool = False
    either: Mapping[str, Unit] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.typed)

    @property
    def is_silent(self) -> bool:
        """Whether something was typed that asks for nothing: signs, or "de la"."""
        typed = replace(self.typed, words=())
        return bool(self.whole.strip()) and not self.meaningful and not typed

    @property
    def understood(self) -> tuple[Understood, ...]:
        """What words were understood as, in their order."""
        units = (*self.units, *self.either.values())
        return tuple(unit.understood for unit in units if unit.understood)

    @property
    def meaningful(self) -> tuple[Unit, ...]:
        """The units that ask for something: "de la" does not."""
        return tuple(unit for unit in self.units if not is_small(unit.text))

    @property
    def words(self) -> tuple[Unit, ...]:
        """The meaningful units that were not understood as something else than words."""
        return tuple(unit for unit in self.meaningful if unit.understood is None)

    @property
    def required(self) -> int:
        """How many of `words` a document must hold."""
        count = len(self.words)
        return max(1, count * 2 // 3) if self.relaxed else count


def in_one_piece(text: str) -> str:
    """The text with its numbers and amounts each in one word, as they are read."""
    return joined_amounts(joined_numbers(text))


def plan_of(
    text: str,
    territories: Territories,
    meanings: Meanings,
    as_of: datetime,
    literal: Sequence[str] = (),
) -> TextPlan:
    """`text` as typed, read. `literal` are expressions to be taken at their word, `*` for all."""
    typed = read(in_one_piece(text))
    taken = frozenset("*" if one == "*" else conflate(one) for one in literal)
    reader = Reader(territories, meanings, as_of, taken)
    either = {
        piece.text: unit
        for group in typed.either
        for piece in group
        if piece.how is How.WORD and piece.field is None
        for unit in reader.units((piece.text,))
    }
    return TextPlan(
        typed,
        tuple(_short(reader.units(typed.words))),
        text,
        either=dict(zip(either, _short(either.values()), strict=True)),
    )


def _short(units: Iterable[Unit]) -> Iterator[Unit]:
    """The units, the later ones without other words for them."""
    for at, unit in enumerate(units):
        yield unit if at < _MOST_WITH_OTHERS else replace(unit, also=())


def is_small(text: str) -> bool:
    """Whether a text is made of stop words alone."""
    return all(word in _STOPS for word in fold_name(text).split())


def others_of(unit: Unit) -> tuple[str, ...]:
    """The other words for a unit that are searched."""
    return unit.also[:_MOST_ALTERNATIVES]
