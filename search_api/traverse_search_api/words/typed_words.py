"""What people type in `q`, taken apart. Never an error: whatever does not parse is a word.

école numérique          all words count
"groupe scolaire"        these words, in this order, in this form (« », “ ” and ‘ ’ too)
rénov*                   words that begin so
acheteur:arles           any of these, in that field (`FIELDS`)
-piscine  -"hors lot"    none of these
école OR collège         one or the other of these (OU too; in capitals)
école AND collège        both, as without AND (ET too)
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from traverse_schemas.values.siren import is_siren

_QUOTES: Final = str.maketrans("«»“”„‟", '""""""')
# ’ is an apostrophe as well: a quotation begins with ‘, and may hold l’école.
_SINGLE_QUOTES: Final = re.compile(r"(?<!\w)‘([^‘’]*(?:’\w[^‘’]*)*)’(?!\w)")
# "école,collège" are two words, 1,5 one number.
_COMMA: Final = re.compile(r"(?<=[^\W\d])[,;](?=\w)|(?<=\w)[,;](?=[^\W\d])")

FIELDS: Final = {
    "acheteur": "owner",
    "institution": "owner",
    "titulaire": "holder",
    "titre": "title",
    "lieu": "place",
    "cpv": "cpv",
    "ref": "reference",
    "reference": "reference",
    "référence": "reference",
}
"""The words before a colon that name a field, and the field."""

_PART: Final = re.compile(
    rf"""
    (?P<minus>(?<!\S)[-−–])?  # at the start of a word: Aix-en-Provence excludes nothing
    (?:(?<![^\s\-−–])(?P<field>{"|".join(FIELDS)}):(?=["\w]))?
    (?: "(?P<phrase>[^"]*)" | (?P<word>[^\s"]+) )
    """,
    re.VERBOSE | re.IGNORECASE,
)  # fmt: skip
_GAP: Final = "[ .\u00a0\u202f]?"
_SPACED_NUMBER: Final = re.compile(
    rf"(?<![\w.-])\d{{3}}{_GAP}\d{{3}}{_GAP}\d{{3}}(?:{_GAP}\d{{5}})?(?![\w-])", re.ASCII
)
_SIRET: Final = 14  # digits
_OR: Final = ("OR", "OU")
_AND: Final = ("AND", "ET")


class How(StrEnum):
    """How a text was typed: as it is, between quotes, or with a star at its end."""

    WORD = "word"
    PHRASE = "phrase"
    BEGINNING = "beginning"


class Piece(NamedTuple):
    """A text that holds a letter or a digit, how it was typed, and the field that was named for it
    (a value of `FIELDS`), if any."""

    text: str
    how: How = How.WORD
    field: str | None = None


@dataclass(frozen=True, slots=True)
class TypedWords:
    """`words`, `phrases` and `prefixes` in the order typed; what names a field, what is `excluded`
    and groups of which one is enough (`either`) apart."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    fields: tuple[Piece, ...] = ()
    excluded: tuple[Piece, ...] = ()
    either: tuple[tuple[Piece, ...], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything that can be searched for was typed."""
        return any(
            (self.words, self.phrases, self.prefixes, self.fields, self.excluded, self.either)
        )


def joined_numbers(text: str) -> str:
    """SIREN and SIRET with spaces or points, in one piece; other numbers as they are."""
    return _SPACED_NUMBER.sub(_one_piece, text)


def _one_piece(number: re.Match[str]) -> str:
    digits = "".join(char for char in number[0] if char.isdigit())
    # Registers hold SIRET whose check digit is wrong; nine digits may be anything.
    return digits if len(digits) == _SIRET or is_siren(digits) else number[0]


def read(text: str) -> TypedWords:
    """`text` as typed words. An unclosed quote is passed over; signs alone are nothing."""
    plain: dict[How, list[str]] = {how: [] for how in How}
    fields: list[Piece] = []
    excluded: list[Piece] = []
    either: list[tuple[Piece, ...]] = []
    for group in _groups(list(_parts(_cleaned(text)))):
        (piece, minus), *more = group
        if more:
            either.append(tuple(dict.fromkeys(piece for piece, _ in group)))
        elif minus:
            excluded.append(piece)
        elif piece.field:
            fields.append(piece)
        else:
            plain[piece.how].append(piece.text)
    return TypedWords(
        words=tuple(plain[How.WORD]),
        phrases=tuple(plain[How.PHRASE]),
        prefixes=tuple(plain[How.BEGINNING]),
        fields=tuple(fields),
        excluded=tuple(excluded),
        either=tuple(either),
    )


def _cleaned(text: str) -> str:
    text = _COMMA.sub(" ", _SINGLE_QUOTES.sub(r'"\1"', text)).translate(_QUOTES)
    if text.count('"') % 2:
        before, _, after = text.rpartition('"')
        # acheteur:"arles still names its field.
        return f"{before}{after}" if before.endswith(":") else f"{before} {after}"
    return text


def unquoted(text: str) -> str:
    """The same words without any quotes."""
    return " ".join(_cleaned(text).replace('"', " ").split())


def without_exclusions(text: str) -> str:
    """The same without what a minus excludes."""
    kept = _PART.sub(lambda part: "" if part["minus"] else part[0], _cleaned(text))
    return " ".join(kept.split())


class _Part(NamedTuple):
    piece: Piece
    minus: bool


_Join = None
"""Stands between two parts of which one is enough."""


def _parts(text: str) -> Iterator[_Part | None]:
    for found in _PART.finditer(text):
        word, phrase, field, minus = found["word"], found["phrase"], found["field"], found["minus"]
        if not minus and not field and word in (*_OR, *_AND):
            if word in _OR:
                yield _Join
            continue
        how = How.WORD
        if phrase is not None:
            how = How.PHRASE
        elif word.endswith("*"):
            how = How.BEGINNING
        plain = " ".join((word.rstrip("*") if phrase is None else phrase).split())
        if any(char.isalnum() for char in plain):
            # "lıeu" has the letters of a field when the case does not matter, and names none.
            yield _Part(
                Piece(plain, how, FIELDS.get(field.lower()) if field else None), bool(minus)
            )


def _groups(parts: list[_Part | None]) -> list[list[_Part]]:
    """The parts, those joined by OR together; an OR that joins nothing is passed over."""
    groups: list[list[_Part]] = []
    joining = False
    for part in parts:
        if part is _Join:
            joining = bool(groups) and not groups[-1][-1].minus
            continue
        if joining and not part.minus:
            groups[-1].append(part)
        else:
            groups.append([part])
        joining = False
    return groups
