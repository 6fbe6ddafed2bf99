"""Answer book: what may answer each need, and which of it is proposed. Pure.

Of many answers to one need the best that last are proposed (`lasting`), of each audience by itself:
what one may not read takes no place from what one may; of several records of one opportunity the
surest stands for all. What people confirmed stays; what they dismissed is kept, and takes no
place.
"""

from collections.abc import Iterator, Mapping, Set
from typing import Final

from traverse_stream_processors.matching.answers import Answer
from traverse_stream_processors.matching.lasting import (
    MOST,
    Place,
    enter,
    kept,
    lasting,
    place_of,
)
from traverse_stream_processors.matching.words import CONFIRMED, DISMISSED

_NONE: Final[Mapping[str, Answer]] = {}
_NOBODY: Final[Set[str]] = frozenset()


class AnswerBook:
    """Answers by need, and needs by what answers them."""

    def __init__(self) -> None:
        self._answers: dict[str, dict[str, Answer]] = {}
        self._needs: dict[str, set[str]] = {}
        self._confirmed: dict[str, set[str]] = {}
        self._chosen: dict[str, dict[str, Answer]] = {}
        # Of needs with many answers, those that last, by audience.
        self._lasting: dict[str, dict[str, list[Place]]] = {}
        # The heads of the opportunities of several records, by each of these.
        self._heads: dict[str, str] = {}
        self._changed: set[tuple[str, str]] = set()

    def beside(self, identity: str) -> set[str]:
        """What answers a record, and what it answers, proposed or not."""
        return {*self._answers.get(identity, _NONE), *self._needs.get(identity, _NOBODY)}

    def get(self, need: str, offer: str) -> Answer | None:
        """The answer as it was judged, whether it is proposed or not."""
        return self._answers.get(need, _NONE).get(offer)

    def chosen(self, need: str) -> Mapping[str, Answer]:
        """The answers that are proposed, or confirmed, by the ids of what answers."""
        found = self._chosen.get(need)
        if found is None and need in self._answers:
            found = self._chosen[need] = self._choose(need)
        return _NONE if found is None else found

    def to(self, offer: str) -> Iterator[tuple[str, Answer]]:
        """The needs to which something is proposed, in order of their ids."""
        for need in sorted(self._needs.get(offer, ())):
            found = self.chosen(need).get(offer)
            if found is not None:
                yield need, found

    def every(self) -> Iterator[tuple[str, str, Answer]]:
        """Every need with what is proposed to it, or was dismissed."""
        for need, found in self._answers.items():
            chosen = self.chosen(need)
            for offer, answer in found.items():
                if offer in chosen or answer.state == DISMISSED:
                    yield need, offer, answer

    def changed(self) -> set[tuple[str, str]]:
        """The (need, offer) pairs that may have changed since this was last asked."""
        found, self._changed = self._changed, set()
        return found

    def placed(self) -> Set[str]:
        """The records that are known to be in opportunities of several."""
        return self._heads.keys()

    def place(self, identity: str, head: str | None) -> set[str]:
        """Know the opportunity of a record by its head, None where it is alone in it; gives the ids
        whose links changed."""
        if self._heads.get(identity) == head:
            return set()
        if head is None:
            del self._heads[identity]
        else:
            self._heads[identity] = head
        touched: set[str] = set()
        for need in self._needs.get(identity, _NOBODY):
            self._lasting.pop(need, None)
            touched |= self._choose_anew(need)
        return touched

    def put(self, need: str, offer: str, answer: Answer) -> set[str]:
        """Know an answer that was not known; gives the ids whose links changed."""
        if self._know(need, offer, answer):
            return {need, offer}
        found = self._lasting.get(need)
        if found is not None and offer in self._heads:
            del self._lasting[need]  # another record may have stood for it
        elif found is not None:
            entered = enter(found.setdefault(answer.audience, []), _place(offer, answer))
            if not entered and answer.state != CONFIRMED:
                return set()  # worse than enough that last as long
        return self._choose_anew(need)

    def put_all(self, need: str, found: Mapping[str, Answer]) -> set[str]:
        """Know all answers to a need of which none was known; gives the ids whose links changed."""
        if not found:
            return set()
        touched: set[str] = set()
        for offer, answer in found.items():
            if self._know(need, offer, answer):
                touched |= {need, offer}
        return touched | self._choose_anew(need)

    def _know(self, need: str, offer: str, answer: Answer) -> bool:
        """Put an answer in its places. True: it was dismissed, and changes no other."""
        self._answers.setdefault(need, {})[offer] = answer
        self._needs.setdefault(offer, set()).add(need)
        if answer.state == CONFIRMED:
            self._confirmed.setdefault(need, set()).add(offer)
        if answer.state != DISMISSED:
            return False
        self._changed.add((need, offer))
        return True

    def drop(self, identity: str) -> set[str]:
        """Forget all answers that a record gives or gets; gives the ids whose links changed, its
        own left out."""
        touched: set[str] = set()
        gone = self._answers.pop(identity, {})
        shown = self._chosen.pop(identity, {})
        self._confirmed.pop(identity, None)
        self._lasting.pop(identity, None)
        for offer, answer in gone.items():
            self._forget_need(offer, identity)
            if offer in shown or answer.state == DISMISSED:
                self._changed.add((identity, offer))
                touched.add(offer)
        for need in self._needs.pop(identity, set()):
            touched |= self._lose(need, identity) - {identity}
        return touched

    def keep(self, identity: str, met: Set[str]) -> set[str]:
        """Forget the answers that a record gives to, or gets of, those that it does not meet any
        more; gives the ids whose links changed."""
        touched: set[str] = set()
        lost = [(identity, offer) for offer in self._answers.get(identity, _NONE).keys() - met]
        lost += [(need, identity) for need in self._needs.get(identity, _NOBODY) - met]
        for need, offer in lost:
            self._forget_need(offer, need)
            touched |= self._lose(need, offer)
        return touched

    def _lose(self, need: str, offer: str) -> set[str]:
        """Forget one answer; gives the ids that it concerns."""
        answer = self._answers[need].pop(offer)
        self._confirmed.get(need, set()).discard(offer)
        touched: set[str] = set()
        if answer.state == DISMISSED:
            self._changed.add((need, offer))
            touched = {need, offer}
        else:
            found = self._lasting.get(need, {}).get(answer.audience, ())
            shared = offer in self._heads
            if shared or any(one.id == offer for one in found):
                self._lasting.pop(need, None)  # others may last now
            if shared or offer in self._chosen.get(need, _NONE):
                touched = self._choose_anew(need)
        self._sweep(need)
        return touched

    def _sweep(self, need: str) -> None:
        if not self._answers[need]:
            del self._answers[need]
            self._chosen.pop(need, None)
            self._confirmed.pop(need, None)
            self._lasting.pop(need, None)

    def _forget_need(self, offer: str, need: str) -> None:
        needs = self._needs[offer]
        needs.discard(need)
        if not needs:
            del self._needs[offer]

    def _choose_anew(self, need: str) -> set[str]:
        """Choose again; gives the ids that it concerns."""
        before = self._chosen.get(need, _NONE)
        after = self._chosen[need] = self._choose(need)
        touched: set[str] = set()
        for offer in before.keys() ^ after.keys():
            self._changed.add((need, offer))
            touched |= {need, offer}
        return touched

    def _choose(self, need: str) -> dict[str, Answer]:
        known = self._answers[need]
        bands = self._lasting.get(need)
        if bands is None:
            found = {one: answer for one, answer in known.items() if answer.state != DISMISSED}
            if not self._heads.keys().isdisjoint(found):
                found = self._once(found)
            if len(found) <= MOST:
                return found
            bands = self._lasting[need] = _bands(found)
        best = [one.id for audience in sorted(bands) for one in kept(bands[audience])]
        return {offer: known[offer] for offer in (*best, *self._confirmed.get(need, ()))}

    def _once(self, found: Mapping[str, Answer]) -> dict[str, Answer]:
        """The surest of each opportunity, ties by id, and what people confirmed."""
        best: dict[str, tuple[float, str]] = {}
        for offer, answer in found.items():
            rank, head = (-answer.score, offer), self._heads.get(offer, offer)
            best[head] = min(best.get(head, rank), rank)
        first = {offer for _, offer in best.values()}
        return {
            offer: answer
            for offer, answer in found.items()
            if offer in first or answer.state == CONFIRMED
        }


def _bands(found: Mapping[str, Answer]) -> dict[str, list[Place]]:
    """Those that last of these answers, by audience."""
    places: dict[str, list[Place]] = {}
    for offer, answer in found.items():
        places.setdefault(answer.audience, []).append(_place(offer, answer))
    return {audience: lasting(sorted(those)) for audience, those in places.items()}


def _place(offer: str, answer: Answer) -> Place:
    return place_of(answer.score, offer, answer.until)
