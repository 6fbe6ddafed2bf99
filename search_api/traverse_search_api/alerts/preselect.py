"""Which saved searches a changed document may concern, before anything exact is asked. Pure.

A search needs some facets (a kind, a theme, a territory) and its words. It is filed under the
rarest of these; a document brings up what is filed under what it has, and only searches of which it
has everything are candidates. What is none finds nothing. A candidate may turn out to find nothing,
but for the most usual searches (facets, a word or two) what they need is all there is to ask.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from traverse_schemas.reference.territories import Territories
from traverse_search_api.filters import choice_filters, other_filters
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.text_query import TextPlan, all_words, is_small
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

_USUAL: Final = 2  # words
_JOINED: Final = 3  # letters that a word has at least for it to be looked for joined to another

DOCUMENT_FIELDS: Final = (*_FIELDS, "references")

Required = tuple[frozenset[Key], ...]
"""Of each set, a document has at least one."""


class Needs(NamedTuple):
    """What a search needs of a document; `exact`: whatever has all of it is found."""

    required: Required
    exact: bool


def required(
    parameters: SearchParameters,
    plan: TextPlan,
    as_of: datetime,
    territories: Territories,
    seen: Counter[Key],
) -> Needs:
    """What must be in any document that the search finds. `seen` counts what documents had.

    Raises InvalidParameterError.
    """
    filters = [
        *choice_filters(parameters, as_of, territories).values(),
        *other_filters(parameters).values(),
    ]
    asked = [_keys_of(each) for each in filters]
    found = [keys for keys in asked if keys]
    exact = len(found) == len(asked)
    words = list(_words(plan))
    if _is_usual(plan):
        found += words
    elif words:
        found.append(min(words, key=lambda keys: (_frequency(keys, seen), -_longest(keys))))
    return Needs(tuple(found), exact and (not plan or _is_usual(plan)))


def _is_usual(plan: TextPlan) -> bool:
    """Whether a text is one plain word or two, of which `_words` tells all that is asked: each
    word, or both as one, or the record's own reference (`text_query`)."""
    texts = [unit.text for unit in plan.units]
    return (
        1 <= len(texts) <= _USUAL
        and not plan.relaxed
        and plan.typed == TypedWords(words=plan.typed.words)
        and all(unit.plain for unit in plan.units)
        and all(len(text) >= _JOINED and not is_small(text) for text in texts)
    )


def _words(plan: TextPlan) -> Iterator[frozenset[Key]]:
    """For each plain word that must be found, the ways in which it may be: by itself, joined to its
    neighbour ("total energies"), or because the whole text is the record's own reference."""
    plain = [unit.text for unit in plan.units if unit.plain]
    reference = (REFERENCE, plan.whole.strip().casefold())
    for at, word in enumerate(plain):
        if is_small(word):
            continue
        joined = [plain[at - 1] + word] if at else []
        joined += [word + plain[at + 1]] if at + 1 < len(plain) else []
        yield frozenset([reference, (WORD, word), *((WORD, one) for one in joined)])


def _longest(keys: Iterable[Key]) -> int:
    return min((len(text) for name, text in keys if name == WORD), default=0)


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


def _frequency(keys: Iterable[Key], seen: Counter[Key]) -> int:
    return sum(seen[key] for key in keys)


def word_query(key: Key) -> Query:
    """Asks whether a document holds a word, as the search itself asks."""
    return all_words(key[1])


def keys_of_document(source: Mapping[str, Any], words: Iterable[Key] = ()) -> set[Key]:
    """What a document has; `words` are those that it was found to hold."""
    found = set(words)
    for field in _FIELDS:
        value = source.get(field)
        if isinstance(value, str):
            found.add((field, value))
        elif value:
            found.update((field, str(one)) for one in value)
    found.update((REFERENCE, str(one).strip().casefold()) for one in source.get("references") or ())
    return found


class _Filed(NamedTuple):
    required: Required
    under: frozenset[Key]
    exact: bool


class Candidates:
    """Saved searches by what they need."""

    def __init__(self) -> None:
        self.seen: Counter[Key] = Counter()
        """What documents had, so far."""
        self._filed: dict[str, _Filed] = {}
        self._under: dict[Key, set[str]] = {}
        self._always: set[str] = set()
        self._words: Counter[Key] = Counter()

    def put(self, name: str, needs: Needs) -> None:
        """File a search; one of that name must not be there."""
        wanted, exact = needs
        under: frozenset[Key] = frozenset()
        if wanted:
            under = min(wanted, key=lambda keys: (_frequency(keys, self.seen), _prior(keys)))
        self._filed[name] = _Filed(wanted, under, exact)
        for key in under:
            self._under.setdefault(key, set()).add(name)
        if not under:
            self._always.add(name)
        self._words.update(key for keys in wanted for key in keys if key[0] == WORD)

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
        for key in (key for keys in filed.required for key in keys if key[0] == WORD):
            self._words[key] -= 1
            if not self._words[key]:
                del self._words[key]

    def is_exact(self, name: str) -> bool:
        """Whether this search finds every document of which it is a candidate, but for those that
        have expired."""
        return self._filed[name].exact

    @property
    def words(self) -> list[Key]:
        """The words to look for in documents."""
        return list(self._words)

    def of(self, keys: set[Key]) -> set[str]:
        """The searches that a document with these keys may concern."""
        self.seen.update(keys)
        raised = {name for key in keys for name in self._under.get(key, ())}
        return self._always | {
            name
            for name in raised
            if all(not keys.isdisjoint(needs) for needs in self._filed[name].required)
        }


def _prior(keys: frozenset[Key]) -> int:
    return max(_PRIOR.get(name, len(_PRIOR)) for name, _ in keys if name != REFERENCE)
