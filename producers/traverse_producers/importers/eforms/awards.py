"""How a notice's procedure ended, lot by lot: outcome, reason, holders, value.

A result names a lot, the tenders and the contracts of that lot; a contract names its tenders, a
tender its value and its party, and a party its members, which are organizations of the notice.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from lxml.etree import _Element as Element

from traverse_producers.importers.bodies import french_number
from traverse_producers.importers.days import read_day
from traverse_producers.importers.eforms.notice import Notice, is_true
from traverse_producers.importers.eforms.subject import lot_number, money
from traverse_producers.importers.emit import without_empty
from traverse_producers.importers.text import clean, cut

AWARDED, UNSUCCESSFUL, DROPPED = "awarded", "unsuccessful", "dropped"
_ANNOUNCED = "dir-awa-pre"
_WON, _CLOSED = "selec-w", "clos-nw"  # BT-142; "open-nw" goes on
# BT-144, in words; the first two are what art. R.2185-1 and R.2185-2 call infructueux.
_REASONS = {
    "no-rece": "aucune offre reçue",
    "all-rej": "toutes les offres ont été rejetées ou retirées",
    "one-admis": "une seule offre était recevable",
    "chan-need": "les besoins ont changé",
    "ins-fund": "les crédits sont insuffisants",
    "no-signed": "l'attributaire a refusé de signer",
    "rev-body": "décision d'une instance de recours ou d'un juge",
    "rev-buyer": "décision de l'acheteur après un recours",
    "tch-pr-error": "erreurs techniques ou de procédure",
}
_WITHOUT_TENDERS = frozenset({"no-rece", "all-rej"})
_MANY = 1000


@dataclass(frozen=True, slots=True)
class Award:
    """How one lot ended: `lot` as people write its number, `reason` in French or ""."""

    lot: str
    outcome: str
    reason: str
    holders: tuple[dict[str, Any], ...]
    value: float | None


def awards_of(notice: Notice) -> list[Award]:
    """The lots that ended; [] when the notice has no result, or none that is decided.

    A dynamic purchasing system that is not terminated (BT-119) stays open: its contracts are no
    end of the procedure.
    """
    result = notice.extension.find("NoticeResult")
    if result is None:
        return []
    found = _Result(notice, result)
    return [award for part in result.iterfind("LotResult") if (award := found.award(part))]


def goes_on(notice: Notice) -> bool:
    """Whether the procedure stays open whatever was awarded (a dynamic purchasing system)."""
    systems = (
        clean(part.text)
        for part in notice.root.iterfind(
            "ProcurementProjectLot/TenderingProcess/ContractingSystem/ContractingSystemTypeCode"
        )
        if part.get("listName") == "dps-usage"
    )
    dynamic = any(code not in ("", "none") for code in systems)
    ended = notice.extension.iterfind("NoticeResult/LotResult/DPSTerminationIndicator")
    return dynamic and not any(is_true(part.text) for part in ended)


def total_of(notice: Notice, awards: list[Award]) -> float | None:
    """BT-161, else the sum of the tenders that won."""
    result = notice.extension.find("NoticeResult")
    if result is None or is_withheld(result, "not-val"):
        return None
    whole = money(result, "TotalAmount")
    each = [award.value for award in awards if award.value is not None]
    return whole if whole is not None or not each else round(sum(each), 2)


def framework_maximum(notice: Notice) -> float | None:
    """BT-118: the most that all framework agreements of the notice may come to."""
    result = notice.extension.find("NoticeResult")
    if result is None or is_withheld(result, "not-max-val"):
        return None
    return money(result, "OverallMaximumFrameworkContractsAmount")


def signed_on(notice: Notice) -> date | None:
    """The latest day on which a contract was concluded (BT-145), else decided (BT-1451)."""
    contracts = notice.extension.findall("NoticeResult/SettledContract")
    for name in ("IssueDate", "AwardDate"):
        days = [day for part in contracts if (day := read_day(part.findtext(name)))]
        known = [day for day in days if day.year > 1970]  # 1970-01-01 stands for a withheld date
        if known:
            return max(known)
    return None


def overall(awards: list[Award]) -> str:
    """The outcome of the whole: awarded when any lot was."""
    outcomes = {award.outcome for award in awards}
    return next((o for o in (AWARDED, UNSUCCESSFUL, DROPPED) if o in outcomes), AWARDED)


def reasons(awards: list[Award]) -> str:
    """Why lots were not awarded, in one sentence; "" when there is nothing to say."""
    said = [(award.lot, award.reason) for award in awards if award.reason]
    if not said:
        return ""
    if len(awards) == 1:
        return cut(said[0][1], 500)
    return cut(" ; ".join(f"lot {lot} : {reason}" for lot, reason in said), 500)


def all_holders(awards: list[Award]) -> list[dict[str, Any]]:
    """The holders of all lots, each once; roles are of one lot and stay with it."""
    found: list[dict[str, Any]] = []
    for award in awards:
        for holder in award.holders:
            alone = holder if len(awards) == 1 else {k: v for k, v in holder.items() if k != "role"}
            if alone not in found:
                found.append(alone)
    return found[:_MANY]


def is_withheld(element: Element, code: str) -> bool:
    """Whether the buyer withholds a field of an element (BT-195): it must not be shown."""
    for privacy in element.iter("FieldsPrivacy"):
        if clean(privacy.findtext("FieldIdentifierCode")) == code:
            return True
    return False


class _Result:
    """A NoticeResult with its parts by their identifiers."""

    def __init__(self, notice: Notice, result: Element) -> None:
        self._notice = notice
        self._tenders = _by_id(result, "LotTender")
        self._contracts = _by_id(result, "SettledContract")
        self._parties = _by_id(result, "TenderingParty")

    def award(self, part: Element) -> Award | None:
        """How a LotResult says that its lot ended; None when it goes on, or is withheld."""
        lot = lot_number(clean(part.findtext("TenderLot/ID")))
        code = clean(part.findtext("TenderResultCode"))
        if not code and self._notice.form == _ANNOUNCED:
            code = _WON  # a direct award says who is to have the contract, and has no BT-142
        if not lot or is_withheld(part, "win-cho"):
            return None
        if code == _WON:
            holders, value = self._winners(part, clean(part.findtext("TenderLot/ID")))
            return Award(lot, AWARDED, "", holders, value)
        if code != _CLOSED:
            return None
        why = clean(part.findtext("DecisionReason/DecisionReasonCode"))
        if is_withheld(part, "no-awa-rea"):
            why = ""
        outcome = UNSUCCESSFUL if why in _WITHOUT_TENDERS else DROPPED
        return Award(lot, outcome, _REASONS.get(why, ""), (), None)

    def _winners(self, part: Element, lot: str) -> tuple[tuple[dict[str, Any], ...], float | None]:
        names = [
            clean(tender.text)
            for contract in part.iterfind("SettledContract/ID")
            if (settled := self._contracts.get(clean(contract.text))) is not None
            for tender in settled.iterfind("LotTender/ID")
        ]
        # Without contracts (a framework, a design contest) the tenders listed are the chosen ones.
        names = names or [clean(tender.text) for tender in part.iterfind("LotTender/ID")]
        found: list[dict[str, Any]] = []
        value: float | None = None
        for name in dict.fromkeys(names):
            tender = self._tenders.get(name)
            if tender is None or clean(tender.findtext("TenderLot/ID")) not in ("", lot):
                continue
            found += [holder for holder in self._holders(tender) if holder not in found]
            if not is_withheld(tender, "win-ten-val"):
                each = money(tender, "LegalMonetaryTotal/PayableAmount")
                value = value if each is None else round((value or 0) + each, 2)
        return tuple(found[:_MANY]), value

    def _holders(self, tender: Element) -> list[dict[str, Any]]:
        party = self._parties.get(clean(tender.findtext("TenderingParty/ID")))
        members = [] if party is None else party.findall("Tenderer")
        lead = any(is_true(member.findtext("GroupLeadIndicator")) for member in members)
        found: list[dict[str, Any]] = []
        for member in members:
            organization = self._notice.organizations.get(clean(member.findtext("ID")))
            if organization is None:
                continue
            body = self._notice.body(organization)
            number = french_number(body) or "".join(body.number.split())[:40]
            leads = is_true(member.findtext("GroupLeadIndicator"))
            role = "single" if len(members) == 1 else "leader" if leads else "member"
            holder = without_empty({"id": number, "name": cut(body.name, 500)})
            if holder:
                found.append(holder | ({"role": role} if lead or len(members) == 1 else {}))
        return found


def _by_id(result: Element, name: str) -> dict[str, Element]:
    return {key: part for part in result.iterfind(name) if (key := clean(part.findtext("ID")))}
