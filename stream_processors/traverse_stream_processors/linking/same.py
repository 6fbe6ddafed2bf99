"""Same: how sure it is that two records speak of one real thing, and why. Pure.

Each aspect of the two records gives points for or against; their sum through the logistic function
is the score. The points were set by hand after looking at pairs of the real files, and measured
on a judged set (`tests/stream_processors/linking/judged.py`); no aspect depends on a third record.
"""

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from math import exp
from typing import Final

from traverse_stream_processors.linking.features import GLOBAL, Features
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
_NUMBERED: Final = re.compile(r"20[0-9]{2}[A-Z0-9]{2,14}[0-9]{2}")


def score(left: Features, right: Features) -> float:
    """How sure it is that two records are one thing, 0 to 1. The same whichever comes first.

    0 for records of other kinds, subtypes or audiences: those never merge.
    """
    if (
        left.kind != right.kind
        or left.audience != right.audience
        or left.subtype != right.subtype
        or left.id == right.id
    ):
        return 0.0
    total = _OFFSET + sum(points for _, points in aspects(left, right))
    return 1 / (1 + exp(-total))


def aspects(left: Features, right: Features) -> Iterator[tuple[Aspect, float]]:
    """What speaks for (points above 0) and against."""
    references = set(left.references) & set(right.references)
    certain = any(reference.startswith(GLOBAL) for reference in references)
    yield from _references(left, right, references, certain)
    yield from _title(left, right, certain, bool(references))
    yield from _owner(left, right, certain)
    yield from _sums_and_holders(left, right)
    yield from _dates(left, right, certain)
    yield from _subject_and_place(left, right)
    if left.source == right.source and not certain:
        # One source tells its own records apart, but where it says itself that they are one.
        yield Aspect.ONE_FEED, -1.0 if references or _versions(left, right) else -6.0


def _references(
    left: Features, right: Features, shared: set[str], certain: bool
) -> Iterator[tuple[Aspect, float]]:
    if certain:
        yield Aspect.GLOBAL_REFERENCE, 4.5
    elif shared:
        yield Aspect.REFERENCE, 3.0
    elif _versions(left, right):
        yield Aspect.NEXT_REFERENCE, 2.0
    elif _own(left) and _own(right):
        yield Aspect.OTHER_REFERENCE, -1.5
    if left.url and left.url == right.url:
        yield Aspect.ADDRESS, 2.0


def _versions(left: Features, right: Features) -> bool:
    """Whether the contract number is the same but for its last two digits, which count the
    modifications (arrêté du 22 mars 2019, annex 1: year, number, "00" at first)."""
    mine = {one[:-2] for one in left.references if _NUMBERED.fullmatch(one)}
    return any(one[:-2] in mine for one in right.references if _NUMBERED.fullmatch(one))


def _own(features: Features) -> bool:
    """Whether it has a reference of its owner's: the number of a notice says nothing of another
    journal's."""
    return any(not reference.startswith(GLOBAL) for reference in features.references)


def _title(
    left: Features, right: Features, certain: bool, referred: bool
) -> Iterator[tuple[Aspect, float]]:
    alike = likeness(frozenset(left.words), frozenset(right.words))
    if alike >= 0.999:
        yield Aspect.TITLE, 2.5
    elif alike >= _CLOSE_TITLE:
        yield Aspect.CLOSE_TITLE, 5 * (alike - 0.5)
    else:
        yield Aspect.OTHER_TITLE, (2 if certain else 5) * (alike - 0.5)
    if left.lots != right.lots and (left.lots or right.lots):
        # One of them names no lot: the whole procedure, or a title cut short.
        apart = not set(left.lots) & set(right.lots) if left.lots and right.lots else None
        if apart:
            # Art. L.2113-10: each lot is a contract of its own.
            yield Aspect.OTHER_LOT, -8.0
        elif not certain:
            yield Aspect.OTHER_LOT, -1.0
    if left.years and right.years and not set(left.years) & set(right.years) and not certain:
        yield Aspect.OTHER_YEAR, -2.0 if referred else -5.0


def _owner(left: Features, right: Features, certain: bool) -> Iterator[tuple[Aspect, float]]:
    if left.owner and right.owner:
        if left.owner == right.owner:
            yield Aspect.OWNER, 1.0
        else:
            yield Aspect.OTHER_OWNER, -0.5 if certain else -4.0
    elif left.owner_name and right.owner_name:
        alike = likeness(frozenset(left.owner_name.split()), frozenset(right.owner_name.split()))
        if alike >= 0.6:
            yield Aspect.OWNER, 1.0
        elif alike < 0.2:
            yield Aspect.OTHER_OWNER, -0.5 if certain else -2.5


def _sums_and_holders(left: Features, right: Features) -> Iterator[tuple[Aspect, float]]:
    mine, theirs = left.amount, right.amount
    if mine and theirs:
        ratio = min(mine, theirs) / max(mine, theirs)
        if ratio > 0.999:
            yield Aspect.AMOUNT, 1.5
        elif ratio < 0.9 and left.amount_kind == right.amount_kind:
            yield Aspect.OTHER_AMOUNT, -2.0
        elif ratio < 0.3:
            yield Aspect.OTHER_AMOUNT, -1.0
    if left.holders and right.holders:
        if set(left.holders) & set(right.holders):
            yield Aspect.HOLDERS, 1.0
        else:
            yield Aspect.OTHER_HOLDERS, -3.0


def _dates(left: Features, right: Features, certain: bool) -> Iterator[tuple[Aspect, float]]:
    yield from _apart(left.notified, right.notified, Aspect.NOTIFIED, Aspect.OTHER_NOTIFIED)
    if left.deadline and left.deadline == right.deadline:
        yield Aspect.DEADLINE, 2.0
    else:
        yield from _apart(left.deadline, right.deadline, Aspect.DEADLINE, Aspect.OTHER_DEADLINE)
    if left.kind != "call":
        yield from _apart(left.start, right.start, Aspect.WINDOW, Aspect.OTHER_WINDOW)
    elif not certain and not (left.notified and right.notified):
        # A call, and the contract of another year.
        opened = left.deadline or left.notified
        other = right.deadline or right.notified
        if opened and other and not (left.deadline and right.deadline):
            days = _days(opened, other)
            if days > 400:
                yield Aspect.OTHER_NOTIFIED, -3.0
    if left.duration_months and right.duration_months:
        if left.duration_months == right.duration_months:
            yield Aspect.DURATION, 0.3
        else:
            yield Aspect.OTHER_DURATION, -0.5


def _apart(left: str, right: str, equal: Aspect, other: Aspect) -> Iterator[tuple[Aspect, float]]:
    if not left or not right:
        return
    days = _days(left, right)
    if days == 0:
        yield equal, 1.2
    elif days > 270:
        yield other, -4.0
    elif days > 90:
        yield other, -2.0
    elif days > 31:
        yield other, -0.7


def _days(left: str, right: str) -> int:
    return abs((date.fromisoformat(left[:10]) - date.fromisoformat(right[:10])).days)


def _subject_and_place(left: Features, right: Features) -> Iterator[tuple[Aspect, float]]:
    if left.cpv and right.cpv:
        if set(left.cpv) & set(right.cpv):
            yield Aspect.CPV, 0.7
        elif not {code[:2] for code in left.cpv} & {code[:2] for code in right.cpv}:
            yield Aspect.OTHER_CPV, -1.5
    mine, theirs = set(left.place), set(right.place)
    if mine & theirs:
        yield Aspect.PLACE, 0.3
    elif not mine & set(right.within) and not theirs & set(left.within):
        yield Aspect.OTHER_PLACE, -2.5
