"""Judged sets for answers and joint purchases, built from the real files by this recipe.

Nothing of the files is here: each set is made from them, the same on every machine.

Answers. Firms of 40 trades look for orders, in words of our own writing and without a CPV code, in
each of the départements where most contracts were let. The contracts of the DECP files stand as
calls that are open again. An answer is right when the buyer's own CPV code is one of the trade's:
the reason is written beside the trade, as prefixes of the code.

Joint. Contracts of the DECP files stand as needs of their buyers, all in one spring; of every
second the CPV code is taken away before anything is read. For every third, a neighbour of the
same EPCI needs the same in other words, without a code (a planted pair). A pair is right when both
true codes are of one category (4 digits), or of one group (3) and their titles share a telling
word, since buyers code the same thing differently: the reason is the two codes. Pairs of which both
codes were visible are not judged. Natural and planted pairs are counted apart.

Thresholds are chosen on one half, figures are given on the other: trades by their place in the
list, pairs of purchases by a hash of their ids.
"""

import copy
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from zlib import crc32

from traverse_schemas.log.record_state import RecordState
from traverse_schemas.reference.territories import Territories
from traverse_schemas.reference.themes import themes_of_text
from traverse_stream_processors.likeness.terms import terms_of
from traverse_stream_processors.matching.topics import significant

TRADES: tuple[tuple[str, str], ...] = (
    ("Entreprise de goudronnage : chantiers de chaussées", "45233 4523 45111 45112 45100 45454"),
    ("Couvreur : réfection de toits", "4526 45261 45262 45454 45453 45210 45214"),
    ("Peintre en bâtiment", "4544 45442 45450 45432 45400 45430"),
    ("Électricien : installations et courants faibles", "4531 45310 45311 45315 45317 50711 31"),
    ("Plombier chauffagiste", "4533 45331 45332 4533 50720 50721 45330 45232 45350 71314"),
    ("Maçon : gros œuvre", "45262 4522 45223 45210 4521 45220 45200 45262 45111 45000 45453"),
    ("Menuisier : fenêtres et portes", "4542 45421 45420 44221 45422"),
    ("Ascensoriste : dépannage d'ascenseurs", "5075 50750 42416 45313"),
    ("Société de propreté : ménage de bureaux", "9091 90910 90911 90919 90900"),
    ("Paysagiste : tonte et fleurissement", "7731 77310 77313 45112 77314 77300 4511271"),
    ("Élagueur", "7721 77211 7734 77341 77340 77310"),
    ("Collecteur d'ordures ménagères", "905 9051 90511 90512 90500 90513"),
    ("Curage d'égouts et inspection de canalisations", "9040 90470 9047 90480 90400 45232 90460 "
     "90600 90641 90640"),
    ("Autocariste : transport d'élèves", "6013 60130 60100 6017 60172 60112 60140 60170"),
    ("Traiteur : repas pour cantines", "555 5552 55520 55523 55524 553 15894 55510 55500 55321"),
    ("Primeur : fruits et légumes", "0322 03220 03221 03222 15300 1533 15330 15000 03200"),
    ("Boucherie : viandes", "1511 15110 15100 15111 15130 15119 15000 15131"),
    ("Boulangerie : pain", "1581 15810 15811 15800 15812 15000"),
    ("Papetier : ramettes et fournitures de bureau", "3019 30192 30197 22800 39162 30199 22000"),
    ("Informaticien : ordinateurs et écrans", "302 30213 30200 30230 30236 30231 48800 30237"),
    ("Éditeur de logiciels de gestion", "48 72 481 482 483 484 485 489 722 723 72260"),
    ("Location de photocopieurs", "3012 30121 30120 50313 79800 79521 30232 5031"),
    ("Opérateur de téléphonie", "642 32500 3255 32550 64210 64200 64212 32"),
    ("Gardiennage et rondes de nuit", "7971 79713 79710 79714 79711 79700 79715"),
    ("Caméras de vidéoprotection", "3232 32323 35125 35120 32234 32235 32300 35 45312"),
    ("Courtier en assurances", "665 66510 66514 66515 66516 66500 66518 66512 66513"),
    ("Avocat en droit public", "791 79100 79110 79111 79112 79140"),
    ("Carburants : gazole et essence", "091 09130 09134 09132 09100 09000 09135"),
    ("Concessionnaire : véhicules utilitaires", "341 34110 34130 34131 34136 34134 34144 34100 "
     "34115 34000 34120"),
    ("Mobilier scolaire et de bureau", "391 39160 39130 39100 39121 39150 39110 39120 39000"),
    ("Vêtements de travail et chaussures de sécurité", "181 18110 18130 18100 18830 18140 35113 "
     "18000 18800"),
    ("Imprimeur : magazines et affiches", "798 79810 79800 79820 22 7982 79823 22400 22200"),
    ("Laboratoire : analyses d'eau", "716 71600 71620 71610 73 85145 90733 90700 71900"),
    ("Architecte : maîtrise d'œuvre de bâtiments", "712 71200 71221 71240 71300 71220 71222 71223 "
     "71250 71000"),
    ("Bureau de contrôle technique et de sécurité", "713 71310 71317 71356 716 71630 71631 71300 "
     "71315 71330 71247"),
    ("Formateur : stages pour agents", "805 80500 80530 80510 80511 80570 80000 80400 80520"),
    ("Feux d'artifice et spectacles", "9236 92360 923 92312 79952 92310 92300 24613"),
    ("Agence de communication", "793 79340 79341 79342 79416 79400 79952 79410 79820 92110 79800"),
    ("Produits d'entretien et essuie-tout", "3983 39830 33760 33761 39831 39832 39800 33700 24"),
    ("Électricité et gaz : fourniture d'énergie", "0931 09310 09123 65 653 652 65310 65210 09120"),
)  # fmt: skip

_OTHER_WORDS = (
    ("réfection", "rénovation"), ("refection", "rénovation"), ("réhabilitation", "rénovation"),
    ("maintenance", "entretien"), ("nettoyage", "ménage"), ("acquisition", "achat"),
    ("fourniture et livraison", "achat"), ("fourniture", "achat"), ("fournitures", "achats"),
    ("travaux de construction", "construction"), ("voirie", "chaussées"),
    ("repas", "plats"), ("école", "groupe scolaire"), ("véhicules", "voitures"),
    ("espaces verts", "jardins et pelouses"), ("prestations de", ""), ("prestation de", ""),
    ("surveillance", "gardiennage"), ("location", "mise à disposition"),
)  # fmt: skip
_DEPARTMENTS = 8  # for each trade: where most is let


def contracts(states: Iterable[RecordState]) -> list[RecordState]:
    """The contracts with one CPV code and a local place, one for each title and owner."""
    found: dict[tuple[str, str], RecordState] = {}
    for state in states:
        said = state["content"]
        content: Any = said["content"] if said else None
        if content is None or content["kind"] != "call" or content["subtype"] != "contract":
            continue
        local = any(code.startswith("dep:") for code in content["within"])
        if len(content.get("cpv", ())) == 1 and local and content.get("owner_siren"):
            found.setdefault((content["title"].lower(), content["owner_siren"]), state)
    return sorted(found.values(), key=lambda state: crc32(state["id"].encode()))


def open_again(state: RecordState) -> RecordState:
    """A contract as a call that is open."""
    fresh: Any = copy.deepcopy(state)
    fresh["life"] = {"version": [0, "2027", ""], "state": "active"}
    until = {"until": "2027-03-12T11:00:00Z", "kind": "tender", "zone": "Europe/Paris"}
    fresh["content"]["content"]["deadline"] = {**until, "precision": "minute"}
    found: RecordState = fresh
    return found


def trades_needs(states: Iterable[RecordState]) -> Iterator[tuple[RecordState, tuple[str, ...]]]:
    """The needs of firms, each with the CPV prefixes that answer it, where something does."""
    let: dict[int, Counter[str]] = {}
    prefixes = [tuple(codes.split()) for _, codes in TRADES]
    for state in states:
        content: Any = state["content"]["content"]  # type: ignore[index]
        for number, codes in enumerate(prefixes):
            if content["cpv"][0].startswith(codes):
                department = next(code for code in content["within"] if code.startswith("dep:"))
                let.setdefault(number, Counter())[department] += 1
    for number, (title, _) in enumerate(TRADES):
        ranked = sorted(let.get(number, Counter()).items(), key=lambda item: (-item[1], item[0]))
        for department, _ in ranked[:_DEPARTMENTS]:
            yield _firm(f"T{number}-{department}", title, department), prefixes[number]


def _firm(identity: str, title: str, department: str) -> RecordState:
    content: Any = {
        "kind": "need", "subtype": "business", "title": title, "visibility": "public",
        "institutions": [{"name": f"Entreprise {identity}", "kind": "other", "role": "owner"}],
        "owner_kind": "other", "place": [department], "within": [department, "fr"],
        "covers": [department], "territory": {"name": department}, "place_names": [],
        "themes": list(themes_of_text(title)), "language": "fr",
        "window": {"from": "2027-01-01", "to": "2027-12-31"},
    }  # fmt: skip
    return _state(identity, content)


class Bought(NamedTuple):
    """A contract as a need, its true code, whether that was left to see, whether we wrote it."""

    state: RecordState
    code: str
    visible: bool
    planted: bool


def purchases(states: Iterable[RecordState]) -> Iterator[Bought]:
    """Contracts as needs of their buyers, and of neighbours in other words."""
    territories = Territories.load()
    for number, state in enumerate(states):
        content: Any = copy.deepcopy(state["content"]["content"])  # type: ignore[index]
        code = content["cpv"][0]
        for name in ("deadline", "end_max", "end_min", "notified", "duration_months", "lots"):
            content.pop(name, None)
        content |= {"kind": "need", "subtype": "purchase"}
        content["window"] = {"from": "2027-02-01", "to": "2027-05-31"}
        other = _neighbour(content, territories) if number % 3 == 0 else None
        words = reworded(content["title"])
        visible = crc32(state["id"].encode()) % 2 == 0
        if other is not None and words != content["title"]:
            whole = {**content, **other, "title": words}
            yield Bought(_state(f"planted-{number}", _hidden(whole)), code, False, True)
            visible = True
        yield Bought(_state(state["id"], content if visible else _hidden(content)), code, visible,
                     False)  # fmt: skip


def reworded(title: str) -> str:
    """The title in other words, the first letter small: what a neighbour would have written."""
    found = title.lower()
    for word, other in _OTHER_WORDS:
        found = found.replace(word, other)
    return found if found != title.lower() else title


def _hidden(content: dict[str, Any]) -> dict[str, Any]:
    """Without its codes and what was derived from them."""
    kept = {name: it for name, it in content.items() if not name.startswith("cpv")}
    kept["themes"] = list(themes_of_text(f"{content['title']} {content.get('description', '')}"))
    return kept


def _neighbour(content: dict[str, Any], territories: Territories) -> dict[str, Any] | None:
    """Another commune of the EPCI, as owner and place."""
    code = next((code for code in content["within"] if code.startswith("epci:")), None)
    epci = territories.epci(code[5:]) if code else None
    for insee in epci.members if epci else ():
        commune, chain = territories.commune(insee), territories.chain(f"com:{insee}")
        if commune and chain and commune.siren and chain.code not in content["within"]:
            return {
                "owner_siren": commune.siren,
                "owner_kind": "commune",
                "institutions": [{"name": commune.name, "kind": "commune", "role": "owner"}],
                "place": [chain.code], "covers": [chain.code], "within": list(chain.codes),
                "territory": {"name": commune.name},
                "location": {"lat": chain.lat, "lon": chain.lon},
            }  # fmt: skip
    return None


def same_purchase(left: str, right: str, title: str, other: str) -> bool:
    """Whether two purchases are of one thing, by their buyers' own codes (see the module)."""
    one, two = significant(left), significant(right)
    if one == two or one[:4] == two[:4]:
        return True
    return one[:3] == two[:3] and not set(terms_of(title)).isdisjoint(terms_of(other))


def _state(identity: str, content: Any) -> RecordState:
    return {
        "id": identity,
        "source": "urn:siren:181300013",
        "subject": identity,
        "kind": content["kind"],
        "first_time": "2027-01-01T00:00:00.000000Z",
        "content": {"version": [0, "2027", ""], "content": content},
        "life": {"version": [0, "2027", ""], "state": "active"},
        "withdrawn": None,
        "indices": [],
    }
