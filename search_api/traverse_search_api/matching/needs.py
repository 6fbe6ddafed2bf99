"""What a followed search needs of a document, and which searches a changed document may concern.
Pure.

A search needs some facets (a kind, a theme, a territory) and its words. It is filed under the
rarest of these; a document brings up what is filed under what it has, and only searches of which it
has everything are candidates. What is none finds nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Final, NamedTuple

from traverse_schemas.reference.territories import Territories
from traverse_search_api.filters import choice_filters, other_filters
from traverse_search_api.matching.words import Held
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.text_query import MOST_TOGETHER, TextPlan, is_small, joined_pairs
from traverse_search_api.typed_words import TypedWords

Query = dict[str, Any]
Key = tuple[str, str]
"""Something that a document has: a field and a value, or a word that it holds."""

WORD: Final = "word"
REFERENCE: Final = "reference"
_FIELDS: Final = (
    "owner_siren", "cpv_within", "within", "covers", "zones", "themes", "subtype", "owner_kind",
    "kind",
)  # fmt: skip
_PRIOR: Final = {name: place for place, name in enumerate((WORD, REFERENCE, *_FIELDS))}
"""Which is the rarest, while nothing has been counted."""

# As Elasticsearch does where it is asked not to look at the case.
_CASELESS: Final = str.maketrans(ascii_uppercase, ascii_lowercase)

NEEDED_FIELDS: Final = (*_FIELDS, "references")
"""What a document must have been read with."""

Required = tuple[frozenset[Key], ...]
"""Of each set, a document has at least one."""


class Text(NamedTuple):
    """A text of plain words: what finds it is all of them, in one language, or with two neighbours
    joined, or the record's own reference (`text_query.text_query`)."""

    whole: frozenset[str] = frozenset()
    joined: tuple[frozenset[str], ...] = ()
    reference: Key | None = None

    def finds(self, held: Held, keys: set[Key]) -> bool:
        """Whether it finds a document with these words and keys."""
        return (
            held.whole(self.whole)
            or any(held.french(words) for words in self.joined)
            or self.reference in keys
        )


class Needs(NamedTuple):
    """What a search needs of a document. `text` is what its words ask, None where only
    Elasticsearch can tell; `words` are those to look for in documents."""

    required: Required
    text: Text | None
    words: frozenset[str]


def needs_of(
    parameters: SearchParameters, plan: TextPlan, as_of: datetime, territories: Territories
) -> Needs:
    """What must be in any document that the search finds. Raises InvalidParameterError."""
    filters = [
        *choice_filters(parameters, as_of, territories).values(),
        *other_filters(parameters).values(),
    ]
    found = [keys for each in filters if (keys := _keys_of(each))]
    found += _words(plan)
    text = _text(plan)
    words = {value for keys in found for name, value in keys if name == WORD}
    if text is not None:
        words |= text.whole.union(*text.joined)
    return Needs(tuple(found), text, frozenset(words))


def _text(plan: TextPlan) -> Text | None:
    if not plan:
        return Text()
    words = [unit.text for unit in plan.units]
    simple = (
        not plan.relaxed
        and plan.typed == TypedWords(words=plan.typed.words)
        and all(unit.plain for unit in plan.units)
        and 1 <= len(words) <= MOST_TOGETHER
    )
    if not simple:
        return None
    joined = tuple(frozenset(each) for each in joined_pairs(words))
    return Text(frozenset(words), joined, _reference(plan))


def _reference(plan: TextPlan) -> Key:
    return REFERENCE, plan.whole.strip().translate(_CASELESS)


def _words(plan: TextPlan) -> Iterator[frozenset[Key]]:
    """For each plain word that must be found, the ways in which it may be: by itself, joined to its
    neighbour ("total energies"), or because the whole text is the record's own reference."""
    plain = [unit.text for unit in plan.units if unit.plain]
    for at, word in enumerate(plain):
        if is_small(word):
            continue
        joined = [plain[at - 1] + word] if at else []
        joined += [word + plain[at + 1]] if at + 1 < len(plain) else []
        yield frozenset([_reference(plan), (WORD, word), *((WORD, one) for one in joined)])


def _keys_of(query: Query) -> frozenset[Key] | None:
    """What a filter needs, where that can be told from it."""
    (name, body), *more = query.items()
    if more:
        return None
    if name == "terms":
        (field, values), *_ = body.items()
        return frozenset((field, str(one)) for one in values) if field in _FIELDS else None
    if name == "bool" and set(body) == {"should"}:
        parts = [_keys_of(each) for each in body["should"]]
        whole = [part for part in parts if part is not None]
        return frozenset().union(*whole) if len(whole) == len(parts) else None
    return None


def keys_of_document(source: Mapping[str, Any], words: Iterable[str] = ()) -> set[Key]:
    """What a document has (its source, with `NEEDED_FIELDS`); `words` are those that it holds."""
    found = {(WORD, word) for word in words}
    for field in _FIELDS:
        value = source.get(field)
        if isinstance(value, str):
            found.add((field, value))
        elif value:
            found.update((field, str(one)) for one in value)
    found.update(
        (REFERENCE, str(one).translate(_CASELESS)) for one in source.get("references") or ()
    )
    return found


class _Filed(NamedTuple):
    required: Required
    under: frozenset[Key]


class Candidates:
    """Searches by what they need."""

    def __init__(self) -> None:
        self._seen: Counter[Key] = Counter()
        self._filed: dict[str, _Filed] = {}
        self._under: dict[Key, set[str]] = {}
        self._always: set[str] = set()

    def put(self, name: str, required: Required) -> None:
        """File a search; one of that name must not be there."""
        under: frozenset[Key] = frozenset()
        if required:
            under = min(required, key=lambda keys: (self._frequency(keys), _prior(keys)))
        self._filed[name] = _Filed(required, under)
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
        # A reference is nearly always another one: counting them would only fill the memory.
        self._seen.update(key for key in keys if key[0] != REFERENCE)
        raised = {name for key in keys for name in self._under.get(key, ())}
        return self._always | {
            name
            for name in raised
            if all(not keys.isdisjoint(needs) for needs in self._filed[name].required)
        }

    def _frequency(self, keys: Iterable[Key]) -> int:
        return sum(self._seen[key] for key in keys)


def _prior(keys: frozenset[Key]) -> int:
    return max(_PRIOR.get(name, len(_PRIOR)) for name, _ in keys if name != REFERENCE)
