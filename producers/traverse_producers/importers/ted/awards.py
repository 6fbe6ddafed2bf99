"""How a notice's procedure ended: holders, values and dates, contract by contract."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from lxml.etree import _Element as Element

from traverse_producers.importers.bodies import french_number
from traverse_producers.importers.days import read_day
from traverse_producers.importers.emit import without_empty
from traverse_producers.importers.ted.notice import body_of, published_parts, text_of
from traverse_producers.importers.ted.subject import awarded, highest, last_day, values
from traverse_producers.importers.text import cut

AWARDS = ("AWARD_CONTRACT", "AWARDED_PRIZE", "NO_AWARDED_PRIZE", "AWARD_OF_CONTRACT_DEFENCE")
_HOLDERS = (
    "ADDRESS_CONTRACTOR", "ADDRESS_WINNER", "CONTACT_DATA_WITHOUT_RESPONSIBLE_NAME",
)  # fmt: skip
_WORD = re.compile(r"^(?:lots?\b)?[\s:n°º.]*0*([0-9A-Za-z]+)", re.IGNORECASE)
_MANY = 1000


@dataclass(frozen=True, slots=True)
class Award:
    """One contract of an award notice. `lots` are the numbers as written, () for the whole."""

    lots: tuple[str, ...]
    title: str
    outcome: str
    holders: tuple[dict[str, Any], ...]
    value: float | None
    on: date | None


def awards_of(form: Element) -> list[Award]:
    """The contracts of a form, in its order; [] for a form that awards nothing."""
    return [_award(part) for part in form.iter(*AWARDS)]


def overall(awards: list[Award]) -> str:
    """The outcome of the whole: awarded when any part was (art. R.2185-1 for the two others)."""
    outcomes = {award.outcome for award in awards}
    return next((o for o in ("awarded", "unsuccessful", "dropped") if o in outcomes), "awarded")


def all_holders(awards: list[Award]) -> list[dict[str, Any]]:
    """The holders of all contracts, each once."""
    found: list[dict[str, Any]] = []
    for award in awards:
        found += [holder for holder in award.holders if holder not in found]
    if len({award.lots for award in awards}) > 1:
        found = [{k: v for k, v in holder.items() if k != "role"} for holder in found]
        found = [holder for n, holder in enumerate(found) if holder not in found[:n]]
    return found[:_MANY]


def with_awards(lots: list[dict[str, Any]], awards: list[Award]) -> list[dict[str, Any]]:
    """The lots with how each ended; a lot that only its award names is added.

    Numbers agree as people write them: `1`, `01`, `Lot 1`, `1: GROS ŒUVRE`. A lot with several
    holders (framework agreements) has them all.
    """
    result = [dict(lot) for lot in lots]
    by_number: dict[str, dict[str, Any]] = {}
    for lot in result:
        by_number.setdefault(_key(lot["number"]), lot)
    for award in awards:
        for number in award.lots:
            if _key(number) not in by_number:
                if not lots and len(awards) == 1:
                    continue  # "lot 1" of a contract without lots
                lot = without_empty({"number": number, "title": cut(award.title, 500)})
                by_number[_key(number)] = lot
                result.append(lot)
            _close(by_number[_key(number)], award)
    return result[:_MANY]


def _close(lot: dict[str, Any], award: Award) -> None:
    if lot.get("outcome") == "awarded" and award.outcome != "awarded":
        return
    lot["outcome"] = award.outcome
    holders = [*lot.get("holders", [])]
    holders += [holder for holder in award.holders if holder not in holders]
    if holders:
        lot["holders"] = holders[:_MANY]
    if award.value is not None and len(award.lots) == 1:
        known = lot.get("amount")
        total = known["value"] if known and known["kind"] == "awarded" else 0
        lot["amount"] = awarded(round(total + award.value, 2))


def _award(part: Element) -> Award:
    refused = next(part.iter("NO_AWARDED_CONTRACT"), None)
    if part.tag == "NO_AWARDED_PRIZE":
        refused = part
    numbers = (cut(text_of(lot), 40) for lot in part.iter("LOT_NO", "LOT_NUMBER"))
    sums = values(part, "VAL_TOTAL", "VAL_PRIZE") or highest(part)
    if part.tag == "AWARD_OF_CONTRACT_DEFENCE":
        sums = [v for box in part.iter("CONTRACT_VALUE_INFORMATION") for v in _costs(box)][-1:]
    return Award(
        lots=tuple(dict.fromkeys(number for number in numbers if _is_lot(number))),
        title=text_of(part, "TITLE") or text_of(part, "CONTRACT_TITLE"),
        outcome="awarded" if refused is None else _why(refused),
        holders=() if refused is not None else _holders(part),
        value=sums[0] if sums and refused is None else None,
        on=last_day(part, "DATE_CONCLUSION_CONTRACT", "DATE_DECISION_JURY") or _old_date(part),
    )


def _costs(box: Element) -> list[float]:
    return values(box, "VALUE_COST") or values(box, "HIGH_VALUE")


def _is_lot(number: str) -> bool:
    return bool(number) and number != "0" and any(char.isdigit() for char in number)


def _why(refused: Element) -> str:
    return (
        "dropped"
        if next(refused.iter("PROCUREMENT_DISCONTINUED"), None) is not None
        else ("unsuccessful")
    )


def _holders(part: Element) -> tuple[dict[str, Any], ...]:
    group = next(part.iter("AWARDED_TO_GROUP"), None) is not None
    found: list[dict[str, Any]] = []
    for address in published_parts(part, *_HOLDERS):
        body = body_of(address)
        number = french_number(body) or "".join(body.number.split())[:40]
        holder = without_empty({"id": number, "name": cut(body.name, 500)})
        if holder and holder not in found:
            found.append(holder)
    if group and len(found) > 1:
        found = [{**h, "role": "member" if n else "leader"} for n, h in enumerate(found)]
    elif len(found) == 1 and next(part.iter("NO_AWARDED_TO_GROUP"), None) is not None:
        found = [{**found[0], "role": "single"}]
    return tuple(found)


def _old_date(part: Element) -> date | None:
    parts = part.find("CONTRACT_AWARD_DATE")
    if parts is None:
        return None
    year, month, day = ((parts.findtext(name) or "").strip() for name in ("YEAR", "MONTH", "DAY"))
    return read_day(f"{year}-{month.zfill(2)}-{day.zfill(2)}")


def _key(number: str) -> str:
    match = _WORD.match(number)
    return match[1].upper() if match else number.upper()
