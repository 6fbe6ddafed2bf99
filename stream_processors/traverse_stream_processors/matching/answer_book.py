"""Answer book: what may answer each need, and which of it is proposed. Pure.

Of many answers to one need the best are proposed: of those that all may read, and of all, so that
what few may read takes no place from what all may. What people confirmed stays; what they dismissed
is kept, and takes no place.
"""

from collections.abc import Iterator, Mapping, Set
from itertools import islice
from typing import Final

from traverse_stream_processors.matching.answers import Answer
from traverse_stream_processors.matching.words import CONFIRMED, DISMISSED

MOST: Final = 10
"""Answers proposed for one need: the best, ties by id."""

_Rank = tuple[float, str]
_NONE: Final[Mapping[str, Answer]] = {}
_NOBODY: Final[Set[str]] = frozenset()


class AnswerBook:
    """Answers by need, and needs by what answers them."""

    def __init__(self) -> None:
        self._answers: dict[str, dict[str, Answer]] = {}
        self._needs: dict[str, set[str]] = {}
        self._public: dict[str, set[str]] = {}
        self._chosen: dict[str, dict[str, Answer]] = {}
        self._last: dict[str, tuple[_Rank, _Rank]] = {}
        self._changed: set[tuple[str, str]] = set()

    def knows(self, identity: str) -> bool:
        """Whether a record gives or gets any answer, proposed or not."""
        return identity in self._answers or identity in self._needs

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

    def put(self, need: str, offer: str, answer: Answer, *, public: bool) -> set[str]:
        """Know an answer that was not known; gives the ids whose links changed."""
        self._answers.setdefault(need, {})[offer] = answer
        self._needs.setdefault(offer, set()).add(need)
        if public:
            self._public.setdefault(need, set()).add(offer)
        if answer.state == DISMISSED:
            self._changed.add((need, offer))
            return {need, offer}
        last = self._last.get(need)
        if last is not None and answer.state != CONFIRMED:
            of_all, of_public = last
            rank = _rank(offer, answer)
            if rank > of_all and not (public and rank < of_public):
                return set()  # worse than all that are proposed
        return self._choose_anew(need)

    def put_all(self, need: str, found: Mapping[str, Answer], public: Set[str]) -> set[str]:
        """Know all answers to a need of which none was known; `public` are those that all may read.
        Gives the ids whose links changed."""
        if not found:
            return set()
        self._answers.setdefault(need, {}).update(found)
        if public:
            self._public.setdefault(need, set()).update(public)
        touched: set[str] = set()
        for offer, answer in found.items():
            self._needs.setdefault(offer, set()).add(need)
            if answer.state == DISMISSED:
                self._changed.add((need, offer))
                touched |= {need, offer}
        return touched | self._choose_anew(need)

    def drop(self, identity: str) -> set[str]:
        """Forget all answers that a record gives or gets; gives the ids whose links changed, its
        own left out."""
        touched: set[str] = set()
        gone = self._answers.pop(identity, {})
        shown = self._chosen.pop(identity, {})
        self._public.pop(identity, None)
        self._last.pop(identity, None)
        for offer, answer in gone.items():
            self._forget_need(offer, identity)
            if offer in shown or answer.state == DISMISSED:
                self._changed.add((identity, offer))
                touched.add(offer)
        for need in self._needs.pop(identity, set()):
            answer = self._answers[need].pop(identity)
            self._public.get(need, set()).discard(identity)
            if answer.state == DISMISSED:
                self._changed.add((need, identity))
                touched.add(need)
            elif identity in self.chosen(need):
                touched |= self._choose_anew(need)
            self._sweep(need)
        return touched

    def keep(self, identity: str, met: Set[str]) -> set[str]:
        """Forget the answers that a record gives to, or gets of, those that it does not meet any
        more; gives the ids whose links changed."""
        touched: set[str] = set()
        lost = [(identity, offer) for offer in self._answers.get(identity, _NONE).keys() - met]
        lost += [(need, identity) for need in self._needs.get(identity, _NOBODY) - met]
        for need, offer in lost:
            answer = self._answers[need].pop(offer)
            self._forget_need(offer, need)
            self._public.get(need, set()).discard(offer)
            if answer.state == DISMISSED:
                self._changed.add((need, offer))
                touched |= {need, offer}
            elif offer in self._chosen.get(need, _NONE):
                touched |= self._choose_anew(need)
            self._sweep(need)
        return touched

    def _sweep(self, need: str) -> None:
        if not self._answers[need]:
            del self._answers[need]
            self._chosen.pop(need, None)
            self._last.pop(need, None)
            self._public.pop(need, None)

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
        found = {
            offer: answer
            for offer, answer in self._answers[need].items()
            if answer.state != DISMISSED
        }
        self._last.pop(need, None)
        if len(found) <= MOST:
            return found
        public = self._public.get(need, _NOBODY)
        ranked = sorted([(-answer.score, offer) for offer, answer in found.items()])
        of_all = ranked[:MOST]
        of_public = list(islice((rank for rank in ranked if rank[1] in public), MOST))
        self._last[need] = (
            of_all[-1],
            of_public[-1] if len(of_public) == MOST else (1.0, ""),
        )
        confirmed = (offer for offer in found if found[offer].state == CONFIRMED)
        best = (offer for _, offer in (*of_public, *of_all))
        return {offer: found[offer] for offer in (*best, *confirmed)}


def _rank(offer: str, answer: Answer) -> _Rank:
    return (-answer.score, offer)
