"""What people type in `q`, taken apart. Never an error: whatever does not parse is a word.

école numérique          all words count
"groupe scolaire"        these words, in this order, in this form (« » and “ ” too)
-piscine  -"hors lot"    not these
rénov*                   words that begin so
école OR collège         one or the other (OU too; in capitals)
acheteur:arles           this word, or phrase, in that field (`FIELDS`)
"""

import re
from dataclasses import dataclass
from typing import Final

from traverse_schemas.values.siren import is_siren, is_siret

_QUOTES: Final = str.maketrans("«»“”„‟", '""""""')

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
_OR: Final = ("OR", "OU")


@dataclass(frozen=True, slots=True)
class TypedWords:
    """`words` in the order typed; the others apart. Everything holds a letter or a digit.

    `either` are groups of words and phrases of which one is enough; `fields` pairs of a field
    (a value of `FIELDS`) and its text.
    """

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    excluded_words: tuple[str, ...] = ()
    excluded_phrases: tuple[str, ...] = ()
    either: tuple[tuple[str, ...], ...] = ()
    fields: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything that can be searched for was typed."""
        return any(
            (self.words, self.phrases, self.prefixes, self._excluded, self.either, self.fields)
        )

    @property
    def _excluded(self) -> tuple[str, ...]:
        return self.excluded_words + self.excluded_phrases


def joined_numbers(text: str) -> str:
    """SIREN and SIRET with spaces or points, in one piece; other numbers as they are."""
    return _SPACED_NUMBER.sub(_one_piece, text)


def _one_piece(number: re.Match[str]) -> str:
    digits = "".join(char for char in number[0] if char.isdigit())
    return digits if is_siren(digits) or is_siret(digits) else number[0]


def read(text: str) -> TypedWords:
    """`text` as typed words. An unclosed quote is passed over; signs alone are nothing."""
    found: dict[str, list[str]] = {
        "words": [], "phrases": [], "prefixes": [], "excluded_words": [], "excluded_phrases": [],
    }  # fmt: skip
    fields: list[tuple[str, str]] = []
    either: list[tuple[str, ...]] = []
    for group in _groups(_parts(text.translate(_QUOTES))):
        if len(group) > 1:
            either.append(tuple(_plain(part) for part in group))
            continue
        (part,) = group
        plain = _plain(part)
        if not _says_something(plain):
            continue
        if part["field"]:
            fields.append((FIELDS[part["field"].lower()], plain))
        else:
            found[_kind(part)].append(plain)
    return TypedWords(
        **{name: tuple(values) for name, values in found.items()},
        either=tuple(either),
        fields=tuple(fields),
    )


Part = dict[str, str | None]


def _parts(text: str) -> list[Part]:
    return [part.groupdict() for part in _PART.finditer(text)]


def _groups(parts: list[Part]) -> list[list[Part]]:
    """The parts, those joined by OR together; an OR that joins nothing is passed over."""
    groups: list[list[Part]] = []
    joining = False
    for part in parts:
        if part["word"] in _OR and not part["minus"] and not part["field"]:
            joining = bool(groups) and _may_join(groups[-1][-1])
            continue
        if joining and _may_join(part):
            groups[-1].append(part)
        else:
            groups.append([part])
        joining = False
    return groups


def _may_join(part: Part) -> bool:
    return not part["minus"] and not part["field"] and _says_something(_plain(part))


def _kind(part: Part) -> str:
    phrase = part["phrase"] is not None
    if part["minus"]:
        return "excluded_phrases" if phrase else "excluded_words"
    if phrase:
        return "phrases"
    return "prefixes" if (part["word"] or "").endswith("*") else "words"


def _plain(part: Part) -> str:
    word = part["phrase"] if part["phrase"] is not None else (part["word"] or "").rstrip("*")
    return " ".join(word.split())


def _says_something(text: str) -> bool:
    return any(char.isalnum() for char in text)
