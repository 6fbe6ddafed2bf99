"""Blocking: under which keys a record is looked for by those that may be the same. Pure.

A key is 8 bytes of a hash. A ladder is a key and what refines it: where too many records stand
under the first, those who look use the next, and so on. Whether a key is crowded depends on the
set of records alone, so the candidates do not depend on arrival.
"""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple
from zlib import crc32

from traverse_stream_processors.linking.features import GLOBAL, Features
from traverse_stream_processors.linking.words import telling

_BANDS: Final = 4
_ROWS: Final = 2
_REFERENCES: Final = 6


class Ladder(NamedTuple):
    """`key`, and by what the records under it are told apart where they are too many."""

    key: int
    refinements: tuple[object, ...]


def finer(key: int, refinement: object) -> int:
    """The key one step down a ladder."""
    return key_of(f"{key}|{refinement}")


def key_of(text: str) -> int:
    """8 bytes of BLAKE2b as a signed integer."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


class Blocking:
    """Gives the ladders of a record. Holds a sketch that is used again and again: one a thread."""

    def __init__(self) -> None:
        # Here: it loads scipy, a quarter of the start of a process that links nothing.
        from datasketch import MinHash

        self._sketch = MinHash(num_perm=_BANDS * _ROWS, seed=1, hashfunc=crc32, scheme="affine32")
        # Titles come again: with each change of a record, and each year.
        self._bands = lru_cache(maxsize=50_000)(self._sketched)

    def ladders(self, features: Features) -> list[Ladder]:
        """Every ladder of a record, each key once: by references and address, by owner or place
        with hard facts, by owner or place with the words of the title."""
        # Records of other kinds or audiences never merge: they stand under other keys.
        apart = f"{features.kind}|{features.audience}"
        found: dict[int, Ladder] = {}
        for text, refinements in (
            *_by_reference(features),
            *_by_facts(features),
            *self._by_title(features),
        ):
            key = key_of(f"{apart}|{text}")
            found.setdefault(key, Ladder(key, refinements))
        return list(found.values())

    def _by_title(self, features: Features) -> Iterator[tuple[str, tuple[object, ...]]]:
        """MinHash bands of the title's telling words (Broder 1997; Leskovec et al., Mining of
        Massive Datasets, 3.4), for each owner; for each département or wider place where owners
        may differ or are known by name only."""
        if not features.words:
            return
        refinements = (
            f"{features.notified[:7]}{features.deadline[:7]}",
            f"{features.notified}|{features.deadline}|{features.amount}",
            features.words,
        )
        wide = features.kind != "call" or not features.owner
        for band in self._bands(features.words):
            if features.owner:
                yield f"o{band}|{features.owner}", refinements
            if wide:
                yield f"w{band}|{area_of(features)}", (features.place, *refinements)

    def _sketched(self, title: tuple[str, ...]) -> list[str]:
        """The bands of a title's words: rows of their sketch, as text."""
        self._sketch.clear()
        self._sketch.update_batch([word.encode() for word in telling(frozenset(title)) or title])
        values = self._sketch.hashvalues.tolist()
        return [f"{band}|{values[band * _ROWS : (band + 1) * _ROWS]}" for band in range(_BANDS)]


def area_of(features: Features) -> str:
    """The département of a record's first place, else the first and widest that it names."""
    for code in features.within:
        if code.startswith("dep:"):
            return code
    return features.within[0] if features.within else ""


def _by_reference(features: Features) -> Iterator[tuple[str, tuple[object, ...]]]:
    refinements = (f"{features.notified}|{features.amount}", features.words)
    for reference in features.references[:_REFERENCES]:
        if reference.startswith(GLOBAL):
            yield f"g|{reference}", (features.owner, *refinements)
            continue
        if features.owner:
            yield f"r|{reference}|{features.owner}", refinements
        if features.owner_name:
            yield f"n|{reference}|{features.owner_name}", refinements
    if features.url:
        yield f"u|{features.url}", refinements


def _by_facts(features: Features) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Those that share the hard facts, whatever the words."""
    if features.notified and features.amount:
        owner = features.owner or features.owner_name
        yield f"a|{owner}|{features.notified}|{features.amount}", (features.holders, features.words)
    if features.deadline:
        yield f"d|{area_of(features)}|{features.deadline}", (features.cpv, features.words)
        if features.owner:
            yield f"e|{features.owner}|{features.deadline}", (features.cpv, features.words)
