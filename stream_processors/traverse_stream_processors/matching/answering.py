"""Answering: what answers what, kept up to date as records come and go. Pure.

Whatever people said something of is judged, wherever it stands.
"""

from collections.abc import Iterable, Mapping, Set

from traverse_stream_processors.matching.answer_book import AnswerBook
from traverse_stream_processors.matching.answers import Answer, answer
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.keys import (
    LastStands,
    answer_stands,
    by_subject,
    rank_of_answer,
)
from traverse_stream_processors.matching.meetings import Meetings
from traverse_stream_processors.matching.words import PROPOSED, LinkWords


class Answering:
    """Needs and what may answer them, by `facts` that its owner keeps; `book` has the answers,
    `stands` tells where a record stands."""

    def __init__(self, facts: Mapping[str, Facts], words: LinkWords, crowded: int) -> None:
        self._facts = facts
        self._words = words
        self.book = AnswerBook()
        self._meetings = Meetings(
            lambda one: facts[one].audience,
            lambda one, topic: by_subject(facts[one], topic),
            lambda one: rank_of_answer(facts[one]),
            crowded,
            self.book.beside,
        )
        self.stands = LastStands(answer_stands)

    def leave(self, known: Facts) -> set[str]:
        """Take a record from where it stands; gives those that meet others now."""
        return self._meetings.remove(known.id, self.stands(known))

    def enter(self, facts: Facts) -> set[str]:
        """Put a record where it stands; gives those that meet fewer others now."""
        return self._meetings.add(facts.id, self.stands(facts))

    def again(self, identity: str) -> set[str]:
        """Judge a record again; gives the ids whose links may have changed."""
        return self.book.drop(identity) | self.judge(self._facts[identity])

    def judge(self, facts: Facts) -> set[str]:
        """Judge a record of which no answer is known, as need and as offer; gives the ids whose
        links may have changed."""
        touched: set[str] = set()
        if not (facts.asks or facts.offers):
            return touched
        spoken = self._words.partners(facts.id)
        firm = facts.seeks is not None
        gets: dict[str, Answer] = {}
        gives: dict[str, Answer] = {}

        def judged(those: Iterable[str]) -> Set[str]:
            for one in those:
                other = self._facts.get(one)
                if other is None or other is facts:
                    continue
                said = one in spoken
                # A need answers another only where both are of firms, or people say so.
                needs = facts.asks and other.asks and (said or (firm and other.seeks is not None))
                if needs or (facts.asks and other.offers):
                    given = self._judge(facts, other, said=said)
                    if given is not None:
                        gets[one] = given
                if needs or (other.asks and facts.offers):
                    given = self._judge(other, facts, said=said)
                    if given is not None:
                        gives[one] = given
            return gets.keys() | gives.keys()

        met = self._meetings.met(facts.id, self.stands(facts), judged)
        if spoken:
            judged(spoken)
            met |= spoken
        for one, given in gives.items():
            if one in met:
                touched |= self.book.put(one, facts.id, given)
        found = {one: given for one, given in gets.items() if one in met}
        return touched | self.book.put_all(facts.id, found)

    def part(self, identity: str) -> set[str]:
        """End what a record answers, or is answered by, that it does not meet any more; gives the
        ids whose links changed."""
        beside = self.book.beside(identity)
        if not beside:
            return set()
        stands = self.stands(self._facts[identity])
        met = self._meetings.met(identity, stands, beside.intersection)
        return self.book.keep(identity, met | self._words.partners(identity))

    def _judge(self, need: Facts, offer: Facts, *, said: bool) -> Answer | None:
        state = self._words.of_answer(need, offer) if said else PROPOSED
        return answer(need, offer, state)
