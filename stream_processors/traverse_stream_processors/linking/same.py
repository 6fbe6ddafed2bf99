"""Same: how sure it is that two records speak of one real thing, and why. Pure.

Each aspect of the two records gives points for or against; their sum through the logistic function
is the score. The points were set by hand after looking at pairs of the real files, and measured
on a judged set (`tests/stream_processors/linking/judged.py`); no aspect depends on a third record.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date
from enum import StrEnum
from functools import lru_cache
from math import exp, inf, log
from typing import Final, NamedTuple

from traverse_stream_processors.linking.features import GLOBAL, Features
from traverse_stream_processors.linking.lots import other_parts
from traverse_stream_processors.linking.words import likeness


class Aspect(StrEnum):
    """What speaks for or against, with the words that tell it."""

    GLOBAL_REFERENCE = "même numéro d'avis ou de procédure"
    REFERENCE = "même référence"
    NEXT_REFERENCE = "même référence au numéro de version près"
    OTHER_REFERENCE = "références différentes"
    ADDRESS = "même adresse"
    TITLE = "même objet"
    CLOSE_TITLE = "objets proches"
    OTHER_TITLE = "objets différents"
    OWNER = "même acheteur ou porteur"
    OTHER_OWNER = "acheteurs ou porteurs différents"
    AMOUNT = "même montant"
    OTHER_AMOUNT = "montants différents"
    NOTIFIED = "même date de notification"
    OTHER_NOTIFIED = "notifiés à des dates différentes"
    DEADLINE = "même date limite"
    OTHER_DEADLINE = "dates limites éloignées"
    HOLDERS = "mêmes titulaires"
    OTHER_HOLDERS = "titulaires différents"
    CPV = "même code CPV"
    OTHER_CPV = "codes CPV différents"
    PLACE = "même lieu"
    OTHER_PLACE = "lieux différents"
    WINDOW = "même période"
    OTHER_WINDOW = "périodes différentes"
    DURATION = "même durée"
    OTHER_DURATION = "durées différentes"
    ONE_FEED = "deux fiches d'une même source"
    OTHER_YEAR = "années différentes dans les titres"
    OTHER_LOT = "lots différents"


SAME: Final = 0.9
"""From this score on two records are the same."""

_OFFSET: Final = -3.0
_CLOSE_TITLE: Final = 0.45
_OWN_PROJECT: Final = 2.5
"""A town has fewer projects than contracts, and no two under one title: of 5,873 pairs of projects
of the Fonds vert of one holder, with titles alike, 2 would join by it."""

_NUMBERED: Final = re.compile(r"20[0-9]{2}[A-Z0-9]{2,14}[0-9]{2}")

Told = list[tuple[Aspect, float]]


class _Shared(NamedTuple):
    """What the references of two records say, which weighs in other aspects too: whether they
    share any, and (`certain`) one that names one thing whoever owns it."""

    references: bool
    certain: bool


def score(left: Features, right: Features, least: float = 0.0) -> float:
    """How sure it is that two records are one thing, 0 to 1. The same whichever comes first.

    0 for records of other kinds, subtypes or audiences: those never merge. Who asks with `least`
    wants to know of scores from there on only: 0 is given as soon as the rest cannot reach it.
    """
    if (
        left.kind != right.kind
        or left.audience != right.audience
        or left.subtype != right.subtype
        or left.id == right.id
    ):
        return 0.0
    needed = log(least / (1 - least)) if least else -inf
    told: Told = []
    shared = _references(told, left, right)
    total = _OFFSET + _points(told)
    for tell, most in _TELLING:
        if total + most < needed:
            return 0.0
        told.clear()
        tell(told, left, right, shared)
        total += _points(told)
    return 1 / (1 + exp(-total))


def aspects(left: Features, right: Features) -> Told:
    """What speaks for (points above 0) and against."""
    told: Told = []
    shared = _references(told, left, right)
    for tell, _ in _TELLING:
        tell(told, left, right, shared)
    return told


def _points(told: Told) -> float:
    return sum([points for _, points in told])


def _references(told: Told, left: Features, right: Features) -> _Shared:
    references: list[str] = []
    certain = versions = False
    if left.references and right.references:
        mine, theirs = _numbers(left.references), _numbers(right.references)
        versions = not mine.contracts.isdisjoint(theirs.contracts)
        references = [one for one in right.references if one in left.references]
        certain = bool(references) and _is_certain(references)
        if certain:
            told.append((Aspect.GLOBAL_REFERENCE, 4.5))
        elif references:
            told.append((Aspect.REFERENCE, 3.0))
        elif versions:
            told.append((Aspect.NEXT_REFERENCE, 2.0))
        elif mine.own and theirs.own:
            told.append((Aspect.OTHER_REFERENCE, -1.5))
    if left.url and left.url == right.url:
        told.append((Aspect.ADDRESS, 2.0))
    if left.source == right.source and not certain:
        # One source tells its own records apart, but where it says itself that they are one.
        one = not _two_contracts(left, right) if references else versions
        told.append((Aspect.ONE_FEED, -1.0 if one else -6.0))
    return _Shared(bool(references), certain)


def _two_contracts(left: Features, right: Features) -> bool:
    """Whether each is a contract that has a number of its own besides what they share: the orders
    of one framework agreement."""
    mine, theirs = set(left.references), set(right.references)
    return bool(left.notified and right.notified and mine - theirs and theirs - mine)


class _Numbers(NamedTuple):
    """What a record's references are: the numbers of `contracts` without their last two digits,
    which count the modifications (arrêté du 22 mars 2019, annex 1: year, number, "00" at first);
    `own` says that one is its owner's: the number of a notice says nothing of another journal's."""

    contracts: frozenset[str]
    own: bool


@lru_cache(maxsize=50_000)
def _numbers(references: tuple[str, ...]) -> _Numbers:
    return _Numbers(
        frozenset(one[:-2] for one in references if _NUMBERED.fullmatch(one)),
        any(not reference.startswith(GLOBAL) for reference in references),
    )


def _is_certain(references: Iterable[str]) -> bool:
    return any(reference.startswith(GLOBAL) for reference in references)


def _title(told: Told, left: Features, right: Features, shared: _Shared) -> None:
    alike = likeness(frozenset(left.words), frozenset(right.words))
    if alike >= 0.999:
        told.append((Aspect.TITLE, 2.5))
    elif alike >= _CLOSE_TITLE:
        told.append((Aspect.CLOSE_TITLE, 5 * (alike - 0.5)))
    else:
        told.append((Aspect.OTHER_TITLE, (2 if shared.certain else 5) * (alike - 0.5)))
    if other_parts(left, right):
        # Art. L.2113-10: each lot is a contract of its own.
        told.append((Aspect.OTHER_LOT, -8.0))
    elif left.lots != right.lots and not shared.certain:
        # One of them names no lot, or fewer: the whole procedure, or a title cut short.
        told.append((Aspect.OTHER_LOT, -1.0))
    if left.years and right.years and not shared.certain and not set(left.years) & set(right.years):
        told.append((Aspect.OTHER_YEAR, -2.0 if shared.references else -5.0))


def _owner(told: Told, left: Features, right: Features, shared: _Shared) -> None:
    if left.owner and right.owner:
        if left.owner == right.owner:
            told.append((Aspect.OWNER, _OWN_PROJECT if left.kind == "project" else 1.0))
        else:
            told.append((Aspect.OTHER_OWNER, -0.5 if shared.certain else -4.0))
    elif left.owner_name and right.owner_name:
        alike = likeness(frozenset(left.owner_name.split()), frozenset(right.owner_name.split()))
        if alike >= 0.6:
            told.append((Aspect.OWNER, 1.0))
        elif alike < 0.2:
            told.append((Aspect.OTHER_OWNER, -0.5 if shared.certain else -2.5))


def _sums_and_holders(told: Told, left: Features, right: Features, _: _Shared) -> None:
    mine, theirs = left.amount, right.amount
    if mine and theirs:
        ratio = min(mine, theirs) / max(mine, theirs)
        if ratio > 0.999:
            told.append((Aspect.AMOUNT, 1.5))
        elif ratio < 0.9 and left.amount_kind == right.amount_kind:
            told.append((Aspect.OTHER_AMOUNT, -2.0))
        elif ratio < 0.3:
            told.append((Aspect.OTHER_AMOUNT, -1.0))
    if left.holders and right.holders:
        if left.holders == right.holders or set(left.holders) & set(right.holders):
            told.append((Aspect.HOLDERS, 1.0))
        else:
            told.append((Aspect.OTHER_HOLDERS, -3.0))


def _dates(told: Told, left: Features, right: Features, shared: _Shared) -> None:
    _apart(told, left.notified, right.notified, Aspect.NOTIFIED, Aspect.OTHER_NOTIFIED)
    if left.deadline and left.deadline == right.deadline:
        told.append((Aspect.DEADLINE, 2.0))
    else:
        _apart(told, left.deadline, right.deadline, Aspect.DEADLINE, Aspect.OTHER_DEADLINE)
    if left.kind != "call":
        _apart(told, left.start, right.start, Aspect.WINDOW, Aspect.OTHER_WINDOW)
    elif not shared.certain and not (left.notified and right.notified):
        # A call, and the contract of another year.
        opened = left.deadline or left.notified
        other = right.deadline or right.notified
        if opened and other and not (left.deadline and right.deadline):
            days = _days(opened, other)
            if days > 400:
                told.append((Aspect.OTHER_NOTIFIED, -3.0))
    if left.duration_months and right.duration_months:
        if left.duration_months == right.duration_months:
            told.append((Aspect.DURATION, 0.3))
        else:
            told.append((Aspect.OTHER_DURATION, -0.5))


def _apart(told: Told, left: str, right: str, equal: Aspect, other: Aspect) -> None:
    if not left or not right:
        return
    days = _days(left, right)
    if days == 0:
        told.append((equal, 1.2))
    elif days > 270:
        told.append((other, -4.0))
    elif days > 90:
        told.append((other, -2.0))
    elif days > 31:
        told.append((other, -0.7))


def _days(left: str, right: str) -> int:
    mine, theirs = left[:10], right[:10]
    if mine == theirs:
        return 0
    return abs((date.fromisoformat(mine) - date.fromisoformat(theirs)).days)


def _subject_and_place(told: Told, left: Features, right: Features, _: _Shared) -> None:
    if left.cpv and right.cpv:
        if set(left.cpv) & set(right.cpv):
            told.append((Aspect.CPV, 0.7))
        elif not {code[:2] for code in left.cpv} & {code[:2] for code in right.cpv}:
            told.append((Aspect.OTHER_CPV, -1.5))
    mine, theirs = set(left.place), set(right.place)
    if mine & theirs:
        told.append((Aspect.PLACE, 0.3))
    elif mine.isdisjoint(right.within) and theirs.isdisjoint(left.within):
        told.append((Aspect.OTHER_PLACE, -2.5))


_Telling = Callable[[Told, Features, Features, _Shared], None]


def _with_most(*parts: tuple[_Telling, float]) -> tuple[tuple[_Telling, float], ...]:
    """Each with the most that it and those after it may add together."""
    left = [most for _, most in parts]
    return tuple((tell, sum(left[place:])) for place, (tell, _) in enumerate(parts))


# After the references: first what tells two records apart most often and costs least. With the
# most that each may add.
_TELLING: Final = _with_most(
    (_dates, 4.7),
    (_owner, _OWN_PROJECT),
    (_sums_and_holders, 2.5),
    (_title, 2.5),
    (_subject_and_place, 1.0),
)
