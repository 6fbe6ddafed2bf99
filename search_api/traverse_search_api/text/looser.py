"""Texts that ask for less than one that finds nothing, and might bring results back. Pure."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from traverse_search_api.text.plan import TextPlan, in_one_piece
from traverse_search_api.words.typed_words import How, unquoted, without_exclusions
from traverse_search_api.words.units import Unit


class Looser(NamedTuple):
    """What to type instead, what it leaves out (« sans guillemets »), why that may be to blame, and
    how it is read."""

    text: str
    label: str
    reason: str
    plan: TextPlan


def looser_texts(plan: TextPlan) -> list[Looser]:
    """Without each thing that was understood, first what is found that way only, without quotes,
    without exclusions; none that would ask for nothing."""
    found = (
        *_without_understood(plan, soft=False),
        *_without_understood(plan, soft=True),
        *_unquoted(plan),
        *_with_everything(plan),
    )
    # What was understood may stand apart in the text, with a phrase in between.
    same = " ".join(plan.whole.split())
    return [one for one in found if one.plan and not one.plan.is_silent and one.text != same]


def _without_understood(plan: TextPlan, *, soft: bool) -> Iterator[Looser]:
    whole = in_one_piece(plan.whole)
    for unit in plan.units:
        meant = unit.understood
        # A word that was left aside asks for nothing.
        if meant is None or meant.soft != soft or meant.parameter == "q":
            continue
        units = tuple(other for other in plan.units if other is not unit)
        words = tuple(word for other in units for word in other.text.split())
        said = r"\s+".join(re.escape(word) for word in meant.text.split())
        text = re.sub(rf"(?<!\S){said}(?!\S)", " ", whole, count=1)
        if text == whole:
            continue
        yield Looser(
            " ".join(text.split()),
            f"sans « {meant.text} »",
            f"« {meant.text} » ({meant.label}) écarte tout",
            replace(plan, units=units, typed=replace(plan.typed, words=words), whole=text),
        )


def _unquoted(plan: TextPlan) -> Iterator[Looser]:
    typed = plan.typed
    others = (*typed.fields, *typed.excluded, *(one for group in typed.either for one in group))
    if not typed.phrases or any(piece.how is How.PHRASE for piece in others):
        return
    words = tuple(word for phrase in typed.phrases for word in phrase.split())
    text = unquoted(plan.whole)
    yield Looser(
        text,
        "sans guillemets",
        "Ces mots ne se suivent nulle part sous cette forme exacte",
        replace(
            plan,
            units=(*plan.units, *map(Unit, words)),
            typed=replace(typed, words=(*typed.words, *words), phrases=()),
            whole=text,
        ),
    )


def _with_everything(plan: TextPlan) -> Iterator[Looser]:
    if plan.typed.excluded:
        text = without_exclusions(plan.whole)
        yield Looser(
            text,
            "sans rien exclure",
            "Ce qui est exclu écarte tout",
            replace(plan, typed=replace(plan.typed, excluded=()), whole=text),
        )
