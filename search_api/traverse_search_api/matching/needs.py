"""What a followed search needs of a document, and which searches a changed document may concern.
Pure.

A search needs some facets (a kind, a theme, a territory) and its words. It is filed under the
rarest of these; a document brings up what is filed under what it has, and only searches of which it
has everything are candidates. What is none finds nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from traverse_schemas.documents.indexed import OWNER_NAME, caseless
from traverse_schemas.reference.territories import Territories
from traverse_search_api.filters.parameter_filters import choice_filters, other_filters
from traverse_search_api.matching.judging import all_of, judge
from traverse_search_api.matching.words import Held
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.text.fields import MOST_TOGETHER, SEARCHED
from traverse_search_api.text.finding import forms_of, is_one_word, joined_pairs
from traverse_search_api.text.plan import TextPlan, is_small, others_of
from traverse_search_api.words.typed_words import TypedWords
from traverse_search_api.words.units import Unit

Query = dict[str, Any]
Key = tuple[str, str]
"""Something that a document has: a field and a value, or a word that it holds."""

WORD: Final = "word"
REFERENCE: Final = "reference"
_FIELDS: Final = (
    "owner_siren", "cpv_within", "naf", "within", "covers", "zones", "themes", "subtype",
    "owner_kind", "kind",
)  # fmt: skip
_SHARES: Final = {
    WORD: 0.02, REFERENCE: 1e-6, "owner_siren": 0.001, "cpv_within": 0.02, "naf": 0.001,
    "within": 0.01, "covers": 0.005, "zones": 0.02, "themes": 0.1, "subtype": 0.2,
    "owner_kind": 0.2, "kind": 0.4,
}  # fmt: skip
"""The share of documents that have a key of each kind, while few documents have been counted."""

_SURE: Final = 50  # documents after which what was counted weighs more than that

_NEVER: Final[frozenset[Key]] = frozenset({(REFERENCE, "")})
"""What no document has."""

NEEDED_FIELDS: Final = (*_FIELDS, "references")
"""What a document must have been read with."""

Required = tuple[frozenset[Key], ...]
"""Of each set, a document has at least one."""


class UnitText(NamedTuple):
    """One unit of a text that may be found in several ways (`text_finding.unit_query`): by itself
    in any language (`said`, where words alone say it), by other words, by what it is `meant` as;
    or perhaps, where the document holds the words of a phrase or of a very form."""

    said: frozenset[str]
    others: frozenset[str]
    perhaps: frozenset[str]
    meant: Query | None

    def finds(self, held: Held, document: Mapping[str, Any]) -> bool | None:
        """Whether it finds a document that holds these words; None where that cannot be told."""
        meant = judge(self.meant, document) if self.meant is not None else False
        if meant is True or (self.said and held.whole(self.said)):
            return True
        if any(held.french(frozenset((text,))) for text in self.others):
            return True
        if meant is None or any(held.french(frozenset((text,))) for text in self.perhaps):
            return None
        return False

    @property
    def texts(self) -> frozenset[str]:
        """All that may find it."""
        return self.said | self.others | self.perhaps


class Text(NamedTuple):
    """What a text asks: all its plain words, in one language or with two neighbours joined, and
    each of its other units; or the record's own reference (`text_query.text_query`)."""

    whole: frozenset[str] = frozenset()
    joined: tuple[frozenset[str], ...] = ()
    units: tuple[UnitText, ...] = ()
    reference: Key | None = None

    def finds(self, held: Held, keys: set[Key], document: Mapping[str, Any]) -> bool | None:
        """Whether it finds a document with these words and keys; None where that cannot be told."""
        if self.reference in keys:
            return True
        if not held.whole(self.whole) and not any(held.french(words) for words in self.joined):
            return False
        return all_of(unit.finds(held, document) for unit in self.units)


class Needs(NamedTuple):
    """What a search needs of a document: of each of the sets in `required` one, then what its
    `text` says (None where only Elasticsearch can tell) and its other `filters`. `words` are the
    texts to look for in documents. What has filters or means something may `move` with the clock.
    """

    required: Required
    text: Text | None
    filters: tuple[Query, ...]
    words: frozenset[str]

    @property
    def moves(self) -> bool:
        """Whether it may be another search at another moment."""
        units = self.text.units if self.text else ()
        return bool(self.filters) or any(unit.meant is not None for unit in units)


def needs_of(
    parameters: SearchParameters, plan: TextPlan, as_of: datetime, territories: Territories
) -> Needs:
    """What must be in any document that the search finds. Raises InvalidParameterError."""
    filters = [
        *choice_filters(parameters, as_of, territories).values(),
        *other_filters(parameters).values(),
    ]
    asked = [_keys_of(each) for each in filters]
    found = [each.keys for each in asked if each.keys]
    # What has one of the keys of each set is what the others find.
    left = tuple(one for one, each in zip(filters, asked, strict=True) if not each.whole)
    found += [_NEVER] if plan.is_silent else _words(plan)
    text = None if plan.is_silent else _text(plan)
    words = {value for each in found for name, value in each if name == WORD}
    if text is not None:
        words |= text.whole.union(*text.joined)
        words |= {one for unit in text.units for one in unit.texts}
    return Needs(tuple(found), text, left, frozenset(words))


def _text(plan: TextPlan) -> Text | None:
    if not plan:
        return Text()
    words = [unit.text for unit in plan.units if unit.plain]
    if (
        plan.relaxed
        or plan.typed != TypedWords(words=plan.typed.words)
        or len(words) > MOST_TOGETHER
    ):
        return None
    joined = tuple(frozenset(each) for each in joined_pairs(words))
    units = tuple(_unit(unit) for unit in plan.units if not unit.plain)
    return Text(frozenset(words), joined, units, _reference(plan))


def _unit(unit: Unit) -> UnitText:
    meant = unit.understood
    nothing = frozenset[str]()
    if meant is not None and not meant.soft:
        return UnitText(nothing, nothing, nothing, meant.query)
    perhaps = {other for other in others_of(unit) if not is_one_word(other)}
    said = frozenset((unit.text,))
    if meant is not None and not meant.is_place:
        perhaps.update(form for text in (unit.text, *meant.words) for form in forms_of(text))
        said = nothing
    others = frozenset(other for other in others_of(unit) if is_one_word(other))
    return UnitText(said, others, frozenset(perhaps), meant.query if meant else None)


def _reference(plan: TextPlan) -> Key:
    return REFERENCE, caseless(plan.whole.strip())


def _words(plan: TextPlan) -> Iterator[frozenset[Key]]:
    """For each unit or phrase that must be found, the ways in which it may be: a plain word by
    itself or joined to its neighbour ("total energies"), others by each of their texts or by what
    they mean; or because the whole text is the record's own reference."""
    reference = _reference(plan)
    plain = [unit.text for unit in plan.units if unit.plain]
    for at, word in enumerate(plain):
        if is_small(word):
            continue
        joined = [plain[at - 1] + word] if at else []
        joined += [word + plain[at + 1]] if at + 1 < len(plain) else []
        yield frozenset([reference, (WORD, word), *((WORD, one) for one in joined)])
    for unit in (_unit(unit) for unit in plan.units if not unit.plain):
        texts = ((WORD, one) for one in unit.texts)
        if unit.meant is None:
            yield frozenset([reference, *texts])
        elif meant := _keys_of(unit.meant).keys:
            yield frozenset([reference, *meant, *texts])
    for phrase in plan.typed.phrases:
        yield frozenset([reference, (WORD, phrase)])


class _Keys(NamedTuple):
    """Of these a document has one that a filter finds; none where that cannot be told. `whole`: it
    finds every document that has one."""

    keys: frozenset[Key]
    whole: bool


_UNTOLD: Final = _Keys(frozenset(), whole=False)


def _keys_of(query: Query) -> _Keys:
    (name, body), *more = query.items()
    if more:
        return _UNTOLD
    if name == "terms":
        (field, values), *_ = body.items()
        if field in _FIELDS:
            return _Keys(frozenset((field, str(one)) for one in values), whole=True)
    if name == "match":
        (field, asked), *_ = body.items()
        # The names of owners are among those of institutions.
        if field in (*SEARCHED, OWNER_NAME) and asked.get("operator") == "and":
            return _Keys(frozenset(((WORD, asked["query"]),)), whole=False)
    if name == "bool" and set(body) == {"should"}:
        parts = [_keys_of(each) for each in body["should"]]
        if all(part.keys for part in parts):
            keys = frozenset[Key]().union(*(part.keys for part in parts))
            return _Keys(keys, whole=all(part.whole for part in parts))
    return _UNTOLD


def keys_of_document(source: Mapping[str, Any], words: Iterable[str] = ()) -> set[Key]:
    """What a document has (its source, with `NEEDED_FIELDS`); `words` are those that it holds."""
    found = {(WORD, word) for word in words}
    for field in _FIELDS:
        value = source.get(field)
        if isinstance(value, str):
            found.add((field, value))
        elif value:
            found.update((field, str(one)) for one in value)
    found.update((REFERENCE, caseless(str(one))) for one in source.get("references") or ())
    return found


class _Filed(NamedTuple):
    """`rest` is what else the search requires than one of those that it is filed `under`."""

    under: frozenset[Key]
    rest: Required


class Candidates:
    """Searches by what they need."""

    def __init__(self) -> None:
        self._filed: dict[str, _Filed] = {}
        self._under: dict[Key, set[str]] = {}
        self._always: set[str] = set()
        self._seen: Counter[Key] = Counter()
        self._documents = 0
        self._file_again_at = _SURE

    def put(self, name: str, required: Required) -> None:
        """File a search; one of that name must not be there."""
        under = min(required, key=self._share, default=frozenset[Key]())
        self._filed[name] = _Filed(under, tuple(keys for keys in required if keys != under))
        for key in under:
            self._under.setdefault(key, set()).add(name)
        if not under:
            self._always.add(name)

    def drop(self, name: str) -> None:
        """Take a search away; nothing where it is not there."""
        filed = self._filed.pop(name, None)
        if filed is None:
            return
        self._always.discard(name)
        for key in filed.under:
            self._under[key].discard(name)
            if not self._under[key]:
                del self._under[key]

    def of(self, keys: set[Key]) -> set[str]:
        """The searches that a document with these keys may concern."""
        self._count(keys)
        raised = {name for key in keys for name in self._under.get(key, ())}
        return self._always | {
            name
            for name in raised
            if all(not keys.isdisjoint(needs) for needs in self._filed[name].rest)
        }

    def _count(self, keys: set[Key]) -> None:
        # A reference is nearly always another one: counting them would only fill the memory.
        self._seen.update(key for key in keys if key[0] != REFERENCE)
        self._documents += 1
        if self._documents >= self._file_again_at:
            # What is rare is known better now.
            self._file_again_at *= 4
            share = cache(self._share)  # thousands of searches need the same
            for name, (under, rest) in list(self._filed.items()):
                if rest and any(share(keys) < share(under) for keys in rest):
                    self.drop(name)
                    self.put(name, (under, *rest))

    def _share(self, keys: frozenset[Key]) -> float:
        """About which share of documents has one of these."""
        counted = sum(self._seen[key] + _SURE * _SHARES[key[0]] for key in keys)
        return counted / (self._documents + _SURE)
