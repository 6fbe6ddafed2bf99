"""What the words of a search mean beyond themselves: places, trades, procedures, times, codes.

Nothing is applied silently: each thing understood is in the answer, with the words that said it
and the parameter that would say the same. Where the words may also just be words (a place, a
trade, a procedure), a document that holds them is found too. `literal=` takes an understanding
back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from traverse_schemas.french.synonyms import conflate
from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.territories import Territories
from traverse_search_api.understanding.amount_words import amount_words
from traverse_search_api.understanding.code_words import (
    Code,
    bare_departments,
    code_words,
    is_department_number,
    is_postal_code,
    numbered_word,
    within_number,
)
from traverse_search_api.understanding.concerned import of_institution, of_places, of_trades
from traverse_search_api.understanding.governing_names import governed_place
from traverse_search_api.understanding.place_names import NamedPlace, named_place
from traverse_search_api.understanding.procedure_words import Procedure, open_words, procedure_of
from traverse_search_api.understanding.time_words import time_words
from traverse_search_api.understanding.trades import Trade, trade_of, trades_by_naf
from traverse_search_api.words.spans import SMALL, Span, Words, without_elision
from traverse_search_api.words.synonym_book import Meanings
from traverse_search_api.words.units import Understood, Unit

Query = dict[str, Any]

_LONGEST: Final = 14  # words of an expression: the longest official name that an acronym stands for


@dataclass(frozen=True, slots=True)
class Reader:
    """What the reading of words needs to know."""

    territories: Territories
    meanings: Meanings
    as_of: datetime
    literal: frozenset[str] = frozenset()

    def units(self, words: Sequence[str]) -> tuple[Unit, ...]:
        """The words as units, the longest expression first from left to right."""
        return tuple(self._with_departments(list(self._units(Words(words)))))

    def _units(self, words: Words) -> Iterator[Unit]:
        at, understood_to = 0, -1
        while at < len(words.typed):
            for length in range(min(_LONGEST, len(words.typed) - at), 0, -1):
                span = Span(words, at, at + length, understood_to)
                if not span.key:
                    continue
                if length > 1 and span.key in self.literal:
                    at_its_word = replace(self, literal=frozenset("*"))
                    yield from at_its_word._units(Words(words.typed[at : at + length]))
                    at += length
                    break
                if (unit := self._unit(span)) is not None:
                    yield unit
                    at += length
                    understood_to = at if unit.understood else understood_to
                    break
            else:
                yield Unit(words.typed[at])
                at += 1

    def _unit(self, span: Span) -> Unit | None:
        also = next((self.meanings[key] for key in span.keys if key in self.meanings), ())
        found = None if self._is_literal(span.key) else self._understood(span)
        if isinstance(found, Unit):
            return replace(found, also=also)
        return Unit(span.text, also, found) if also or found else None

    def _is_literal(self, key: str) -> bool:
        return key in self.literal or "*" in self.literal

    def _understood(self, span: Span) -> Understood | Unit | None:
        text = span.text
        if span.length > 1:
            time = time_words(span.name, self.as_of, span.words_before, span.after)
            if time is not None:
                return Understood(text, time.parameter, time.value, time.label, time.query,
                                  soft=not time.clear)  # fmt: skip
        if span.has_digit and (amount := amount_words(text, span.after)):
            return Understood(text, amount.parameter, amount.value, amount.label, amount.query,
                              soft=not amount.clear)  # fmt: skip
        if (procedure := self._procedure(span)) is not None:
            return Understood(
                text, procedure.parameter, procedure.value, procedure.label, procedure.query
            )
        if span.has_digit:
            code = code_words(span.typed, span.before, span.after, self.territories)
            if code is not None:
                return self._code(text, code)
            if (numbered := self._place_and_number(span)) is not None:
                return self._places(text, numbered)
        if span.is_who:
            return Understood(text, "q", "", "mot laissé de côté", {"match_all": {}}, soft=False)
        trade = trade_of(text, span.key)
        place = self._place(span)
        if trade is None or (place is not None and not _says(trade, text)):
            return None if place is None else self._places(text, place)
        return Understood(
            text,
            "cpv",
            ",".join(trade.cpv),
            f"métier : {trade.words[0]}",
            of_trades((trade,), trade.naf),
            words=trade.beside,
        )

    def _procedure(self, span: Span) -> Procedure | None:
        if span.follows_call:
            found = open_words(span.text, self.as_of)
            if found is not None:
                return found
        return procedure_of(span.text, span.keys, span.words.names)

    def _place(self, span: Span) -> NamedPlace | None:
        if (governed := self._governed(span)) is not None:
            return governed
        alone = len(span.words.typed) == span.length
        for name in span.place_names:
            found = named_place(
                name, self.territories,
                capital=span.capital or span.follows_town_hall,
                first=span.start == 0 and not alone, acronym=span.is_acronym, alone=alone,
            )  # fmt: skip
            if found is not None:
                return found
        return None

    def _governed(self, span: Span) -> NamedPlace | None:
        return governed_place(
            span.name, self.territories, acronym=span.is_acronym, before=span.words_before
        )

    def _place_and_number(self, span: Span) -> NamedPlace | None:
        """`Saint-Denis 93`, `13090 Aix`."""
        if span.length < 2:
            return None
        last, first = span.typed[-1], span.typed[0]
        found = None
        if is_department_number(last) or is_postal_code(last):
            found = self._within_number(span.part(0, span.length - 1), last)
        if not found and is_postal_code(first):
            found = self._within_number(span.part(1, span.length), first)
        return found

    def _within_number(self, named: Span, number: str) -> NamedPlace | None:
        names = (named_place(name, self.territories, capital=True) for name in named.place_names)
        for place in (self._governed(named), *names):
            for namesakes in place.namesakes if place else ():
                if choices := within_number(namesakes, number, self.territories):
                    return NamedPlace(choices, governs=place is not None and place.governs)
        return None

    def _places(self, text: str, place: NamedPlace) -> Understood:
        choices = place.choices
        codes = [code for code, _ in choices]
        alone = len(codes) == 1
        label = choices[0][1] if alone else "territoire à préciser"
        return Understood(
            text,
            "territory",
            codes[0] if alone else "",
            f"{label}, lieu ou institution" if place.governs and alone else label,
            of_places(codes, self.territories, governs=place.governs),
            () if alone else choices,
            territory=codes[0] if alone else None,
        )

    def _code(self, text: str, code: Code) -> Unit:
        match code.parameter:
            case "territory":
                understood = self._places(text, NamedPlace(code.choices))
            case "institution":
                understood = Understood(
                    text, code.parameter, code.value[:9], code.label, of_institution(code.value)
                )
            case "naf":
                trades = trades_by_naf().get(code.value, ())
                understood = Understood(
                    text, code.parameter, code.value, code.label,
                    of_trades(trades, (code.value,)),
                    words=tuple(word for trade in trades for word in (*trade.words, *trade.beside)),
                )  # fmt: skip
            case _:
                within: Query = {"term": {"cpv_within": code.value}}
                understood = Understood(text, code.parameter, code.value, code.label, within)
        return Unit(code.said, (), understood)

    def _with_departments(self, units: list[Unit]) -> Iterator[Unit]:
        """Bare numbers at an end of what was not understood may be départements."""
        left = [at for at, unit in enumerate(units) if _is_left(unit)]
        at = 0
        while at < len(units):
            end = _end_of_numbers(units, at)
            read = None
            if end > at and (not left or at < left[0] or at > left[-1]):
                read = self._departments(units[at:end], *_around(units, at, end))
            if read is None:
                yield from units[at : max(end, at + 1)]
            else:
                yield read
            at = max(end, at + 1)

    def _departments(self, units: Sequence[Unit], before: str, after: str) -> Unit | None:
        text = " ".join(unit.text for unit in units)
        keys = [conflate(text), *(conflate(unit.text) for unit in units)]
        if any(map(self._is_literal, keys)):
            return None
        numbers = [unit.text for unit in units if is_department_number(unit.text)]
        found = bare_departments(numbers, before, after, self.territories)
        if not found:
            return None
        one = self._places(text, NamedPlace(found))
        if len(found) > 1:
            # Several were named: there is nothing to choose.
            codes, labels = zip(*found, strict=True)
            one = replace(one, value=",".join(codes), label=" ou ".join(labels), choices=())
        return Unit(text, (), one)


def _says(trade: Trade, text: str) -> bool:
    """Whether the text names the trade rather than a town of the same letters: maçon, Mâcon."""
    return (
        text.lower() in {word.lower() for word in trade.words}
        or not without_elision(text)[:1].isupper()
    )


def _is_left(unit: Unit) -> bool:
    """Whether it was not understood, asks for something, and is no bare number."""
    if unit.understood is not None or is_department_number(unit.text):
        return False
    return fold_name(unit.text) not in SMALL


def _end_of_numbers(units: Sequence[Unit], start: int) -> int:
    """Where the numbers end that begin at a place, `et` between them; there, where none does."""
    end = start
    for at in range(start, len(units)):
        unit = units[at]
        if unit.plain and is_department_number(unit.text):
            end = at + 1
        elif at != end or unit.text.lower() not in ("et", "ou"):
            break
    return end


def _around(units: Sequence[Unit], start: int, end: int) -> tuple[str, str]:
    """The folded word in front of some units that says what they number, and the one behind."""

    def words(unit: Unit) -> list[str]:
        return fold_name(unit.understood.text if unit.understood else unit.text).split()

    before = [word for unit in units[max(0, start - 2) : start] for word in words(unit)]
    after = words(units[end]) if end < len(units) else []
    return numbered_word(before), (after[0] if after else "")
