"""What the words of a search mean beyond themselves: places, trades, procedures, times, codes.

Nothing is applied silently: each thing understood is in the answer, with the words that said it
and the parameter that would say the same. Where the words may also just be words (a place, a
trade, a procedure), a document that holds them is found too. `literal=` takes an understanding
back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from traverse_schemas.reference.cpv import cpv_label
from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.territories import Territories
from traverse_schemas.synonyms import conflate
from traverse_schemas.values.place import territory_guesses
from traverse_schemas.values.siren import is_siren, is_siret
from traverse_search_api.place_names import named_place
from traverse_search_api.procedure_words import PROCEDURES
from traverse_search_api.synonym_book import Meanings
from traverse_search_api.time_words import time_words
from traverse_search_api.trades import trades

Query = dict[str, Any]

_LONGEST: Final = 14  # words of an expression: the longest official name that an acronym stands for
_NUMBERED: Final = frozenset({"lot", "lots", "n", "no", "numero", "phase", "tranche", "rue", "rd"})
# "à Marseille", "dans le Var": the small word is no part of the name.
_ELISIONS: Final = ("d'", "l'", "d’", "l’")


@dataclass(frozen=True, slots=True)
class Understood:
    """`text` (as typed) was taken for `parameter=value`, `label` in words. `choices` (code, label)
    where it could be several; `query` finds what it means; `words` are others for the same trade.
    What is not `soft` is not searched as words besides."""

    text: str
    parameter: str
    value: str
    label: str
    query: Query
    choices: tuple[tuple[str, str], ...] = ()
    territory: str | None = None
    soft: bool = True
    words: tuple[str, ...] = ()

    @property
    def is_place(self) -> bool:
        """Whether it is a territory, or several to choose from."""
        return self.parameter == "territory"

    def shown(self) -> dict[str, Any]:
        """As the answer has it."""
        return {
            "text": self.text,
            "parameter": self.parameter,
            "value": self.value,
            "label": self.label,
            "choices": [{"code": code, "label": label} for code, label in self.choices],
        }


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing to find: words as typed, other words for the same, or what they were understood
    as."""

    text: str
    also: tuple[str, ...] = ()
    understood: Understood | None = None

    @property
    def plain(self) -> bool:
        return not self.also and self.understood is None


@dataclass(frozen=True, slots=True)
class Reader:
    """What the reading of words needs to know."""

    territories: Territories
    meanings: Meanings
    as_of: datetime
    literal: frozenset[str] = frozenset()

    def units(self, words: Sequence[str]) -> tuple[Unit, ...]:
        """The words as units, the longest expression first from left to right."""
        return tuple(self._units(list(words)))

    def _units(self, words: list[str]) -> Iterator[Unit]:
        # Folded once a word: a text of five hundred words has thousands of expressions.
        keys = [conflate(word) for word in words]
        names = [fold_name(_without_elision(word)) for word in words]
        at = 0
        while at < len(words):
            for length in range(min(_LONGEST, len(words) - at), 0, -1):
                key = " ".join(key for key in keys[at : at + length] if key)
                name = " ".join(names[at : at + length])
                unit = self._unit(words, at, length, key, name)
                if unit is not None:
                    yield unit
                    at += length
                    break
            else:
                yield Unit(words[at])
                at += 1

    def _unit(self, words: list[str], at: int, length: int, key: str, name: str) -> Unit | None:
        if not key:
            return None
        span = words[at : at + length]
        text = " ".join(span)
        also = self.meanings.get(key, ())
        understood = None
        if key not in self.literal and "*" not in self.literal:
            understood = self._understood(span, key, name, words[at - 1] if at else "")
        return Unit(text, also, understood) if also or understood else None

    def _understood(self, span: list[str], key: str, name: str, before: str) -> Understood | None:
        text = " ".join(span)
        times = time_words(name, self.as_of) if len(span) > 1 else None
        if times is not None:
            return Understood(text, times.parameter, times.value, times.label, times.query,
                              soft=False)  # fmt: skip
        procedure = PROCEDURES.get(key)
        if procedure is not None:
            return Understood(
                text, procedure.parameter, procedure.value, procedure.label, procedure.query
            )
        if len(span) == 1 and (code := self._code(span[0], before)) is not None:
            return code
        trade = trades().get(key)
        if trade is None:
            return self._place(text, name)
        return Understood(
            text,
            "cpv",
            ",".join(trade.cpv),
            f"métier : {trade.words[0]}",
            {"terms": {"cpv_within": list(trade.cpv)}},
            words=trade.beside,
        )

    def _place(self, text: str, name: str) -> Understood | None:
        capital = _without_elision(text)[:1].isupper()
        found = named_place(name, self.territories, capital=capital)
        return None if found is None else self._places(text, found.choices)

    def _places(self, text: str, choices: tuple[tuple[str, str], ...]) -> Understood:
        codes = [code for code, _ in choices]
        alone = len(codes) == 1
        return Understood(
            text,
            "territory",
            codes[0] if alone else "",
            choices[0][1] if alone else "territoire à préciser",
            _concerned(codes, self.territories),
            () if alone else choices,
            territory=codes[0] if alone else None,
        )

    def _code(self, word: str, before: str) -> Understood | None:
        digits = word.replace("-", "")
        if not (word[:1].isdigit() and digits.isascii()):
            return None
        if is_siren(digits) or is_siret(digits):
            return Understood(
                word, "institution", digits[:9], f"SIREN {digits[:9]}", _by_number(digits)
            )
        code = word.partition("-")[0]
        if len(code) == 8 and (label := cpv_label(code)) is not None:
            return Understood(word, "cpv", code, f"{code} {label}", {"term": {"cpv_within": code}})
        if len(word) == 5 or (len(word) in (2, 3) and before.lower() not in _NUMBERED):
            known = tuple(
                # The commune of today, for the code of one that has merged into it.
                (chain.code, f"{chain.name} ({_LEVELS[code.partition(':')[0]]})")
                for code in territory_guesses(word)
                if (chain := self.territories.chain(code)) is not None
                # 11 is the Aude, and a région to statisticians only.
                and not (len(word) < 5 and code.startswith("reg:"))
            )
            return self._places(word, known) if known else None
        return None


def _without_elision(word: str) -> str:
    return word[2:] if word[:2].lower() in _ELISIONS else word


_LEVELS: Final[Mapping[str, str]] = {
    "com": "code INSEE", "cp": "code postal", "dep": "département", "reg": "région", "epci": "EPCI",
}  # fmt: skip


def _concerned(codes: Sequence[str], territories: Territories) -> Query:
    inside = list(codes)
    for code in codes:
        if code.startswith("cp:"):
            inside += [row.code for row in territories.communes_of_postal(code[3:])]
    return {"terms": {"within": list(dict.fromkeys(inside))}}


def _by_number(digits: str) -> Query:
    """What an institution owns, or a firm holds."""
    holder: Query = (
        {"prefix": {"holders.id": digits}} if len(digits) == 9 else {"term": {"holders.id": digits}}
    )
    return {"bool": {"should": [{"term": {"owner_siren": digits[:9]}}, holder]}}
