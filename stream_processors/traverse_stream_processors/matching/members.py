"""Members: the purchases of a grouping as they count: each once, and what is said before what is
guessed. Pure.

Several records may tell of one purchase (one opportunity), and a buyer may have said a need and
hold a contract for the same thing that ends: the need is what it will buy, the contract what it
buys until then.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.words import ENGAGED, Said


class Member(NamedTuple):
    """One purchase. `copies` are the ids of other records of it, `words` what its owner said of it
    that counts. `counts`: it is in the sums. `guess`: it is the end of a contract, and its owner
    said neither a need nor a word of it."""

    facts: Facts
    copies: tuple[str, ...]
    words: Sequence[Said]
    counts: bool
    guess: bool


def members_of(
    records: Iterable[Facts],
    words: Mapping[str, Sequence[Said]],
    head_of: Callable[[str], str],
) -> list[Member]:
    """The purchases that records tell of, the earliest first. `words` are those that count, by
    record; `head_of` gives the opportunity of a record."""
    told: dict[str, list[Facts]] = {}
    for one in sorted(records, key=_age):
        told.setdefault(head_of(one.id), []).append(one)
    chosen = [(_spokesman(found, head), found) for head, found in told.items()]
    needs = {one.owner for one, _ in chosen if not _ends(one)}
    members = []
    for one, found in chosen:
        said = sorted(
            said for copy in found if copy.speaker == one.speaker for said in words.get(copy.id, ())
        )
        engaged = any(word.step in ENGAGED for word in said)
        copies = tuple(copy.id for copy in found if copy is not one)
        priced = next((it for it in (one, *found) if it.amount is not None), one)
        members.append(
            Member(
                _at_price(one, priced),
                copies,
                said,
                counts=not (_ends(one) and one.owner in needs),
                guess=_ends(one) and not engaged,
            )
        )
    return members


def _spokesman(copies: Iterable[Facts], head: str) -> Facts:
    """Of the records of one opportunity the one that counts: what the owner itself says, else the
    one that the opportunity is named by, else the earliest."""
    return min(copies, key=lambda it: (it.source_siren != it.owner, it.id != head, _age(it)))


def _at_price(one: Facts, priced: Facts) -> Facts:
    """The same purchase for what another record of it says that it is worth."""
    if priced is one or one.purchase is None or priced.purchase is None:
        return one
    purchase = one.purchase._replace(tax=priced.purchase.tax)
    return one._replace(amount=priced.amount, purchase=purchase)


def _ends(facts: Facts) -> bool:
    return facts.purchase is not None and facts.purchase.renewal


def _age(facts: Facts) -> tuple[str, str]:
    return (facts.first_time, facts.id)
