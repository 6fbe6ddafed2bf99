"""Meetings: who stands where others look for them, and how crowded places are told apart. Pure.

Two sides meet: those that ask and those that are found. A place is a key with what stands under it;
where too many of one side stand, those of the same refinement (CPV group, class, code, month) meet
among themselves, down to the finest; what is still too many there does not meet. Whether a place is
crowded depends on the set of records alone, so that who meets whom does not depend on arrival.
"""

from collections.abc import Hashable, Iterable, Sequence
from typing import Final

CROWDED: Final = 40
"""More than this of one side in one place, and the next refinement is used."""

Key = Hashable


class _Place:
    """Both sides under one key; `finer` are the places one step down, where it is crowded."""

    __slots__ = ("asking", "finer", "found")

    def __init__(self) -> None:
        self.asking: set[str] = set()
        self.found: set[str] = set()
        self.finer: dict[str, _Place] | None = None


class Meetings:
    """Records by id under their keys. `refinements_of` gives those of a record that stands here."""

    def __init__(self, crowded: int = CROWDED) -> None:
        self._crowded = crowded
        self._places: dict[Key, _Place] = {}
        self._refinements: dict[str, tuple[str, ...]] = {}

    def add(
        self, identity: str, keys: Iterable[Key], refinements: tuple[str, ...], *, asks: bool
    ) -> set[str]:
        """Put a record under its keys; gives the asking ones that meet others now beyond this."""
        self._refinements[identity] = refinements
        disturbed: set[str] = set()
        for key in keys:
            place = self._places.get(key)
            if place is None:
                place = self._places[key] = _Place()
            self._add(place, identity, 0, asks, disturbed)
        disturbed.discard(identity)
        return disturbed

    def remove(self, identity: str, keys: Iterable[Key]) -> set[str]:
        """Take a record from its keys; gives the asking ones that meet others now beyond this."""
        disturbed: set[str] = set()
        for key in keys:
            place = self._places.get(key)
            if place is not None:
                self._remove(place, identity, 0, disturbed)
                if not place.asking and not place.found:
                    del self._places[key]
        self._refinements.pop(identity, None)
        disturbed.discard(identity)
        return disturbed

    def asking(self, keys: Iterable[Key], refinements: Sequence[str]) -> set[str]:
        """The asking ones that meet a record with these keys."""
        met: set[str] = set()
        for key in keys:
            place = self._meet(key, refinements)
            if place is not None:
                met |= place.asking
        return met

    def found(self, keys: Iterable[Key], refinements: Sequence[str]) -> set[str]:
        """Those that a record with these keys meets when it asks."""
        met: set[str] = set()
        for key in keys:
            place = self._meet(key, refinements)
            if place is not None:
                met |= place.found
        return met

    def _meet(self, key: Key, refinements: Sequence[str]) -> _Place | None:
        place = self._places.get(key)
        for refinement in refinements:
            if place is None or place.finer is None:
                return place
            place = place.finer.get(refinement)
        return place if place is None or place.finer is None else None

    def _is_crowded(self, place: _Place) -> bool:
        return len(place.asking) > self._crowded or len(place.found) > self._crowded

    def _add(
        self, place: _Place, identity: str, step: int, asks: bool, disturbed: set[str]
    ) -> None:
        was = self._is_crowded(place)
        (place.asking if asks else place.found).add(identity)
        if not self._is_crowded(place):
            return
        refinements = self._refinements[identity]
        if not was:
            disturbed |= place.asking
            place.finer = {}
            for side in (True, False):
                for one in place.asking if side else place.found:
                    self._below(place, one, step, side, disturbed)
        elif step < len(refinements):
            self._below(place, identity, step, asks, disturbed)

    def _below(
        self, place: _Place, identity: str, step: int, asks: bool, disturbed: set[str]
    ) -> None:
        refinements = self._refinements[identity]
        if step >= len(refinements) or place.finer is None:
            return
        finer = place.finer.get(refinements[step])
        if finer is None:
            finer = place.finer[refinements[step]] = _Place()
        self._add(finer, identity, step + 1, asks, disturbed)

    def _remove(self, place: _Place, identity: str, step: int, disturbed: set[str]) -> None:
        was = self._is_crowded(place)
        place.asking.discard(identity)
        place.found.discard(identity)
        if not was:
            return
        if not self._is_crowded(place):
            disturbed |= place.asking
            place.finer = None
            return
        refinements = self._refinements[identity]
        if place.finer is not None and step < len(refinements):
            finer = place.finer.get(refinements[step])
            if finer is not None:
                self._remove(finer, identity, step + 1, disturbed)
                if not finer.asking and not finer.found:
                    del place.finer[refinements[step]]
