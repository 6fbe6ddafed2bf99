"""A judged set for `same`, made from the real open-data files: pairs that are one thing, and pairs
that only look so. The recipe ships; the data does not.

Natural pairs are in the files as they are, and their truth comes from identifiers: the number of
the contract and its buyer in both DECP files, the notice that a TED notice says it follows. Planted
ones are real records told again by another source, as such sources do: reworded, corrected,
awarded, republished; or changed into another thing: another year, another commune, another lot.
Projects of the Fonds vert are told again by the EPCI around, without their number and as often as
not without their sum; what looks so is another project of the same holder under a title like it.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from itertools import combinations, pairwise
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, cast
from zlib import crc32

from tests.stream_processors.factory import RECEIVED
from traverse_infra.demo.feeds import feeds_in, read_feed
from traverse_infra.demo.play import octets_of
from traverse_producers.importers.contract import Dropped
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.reference.institutions import Institutions
from traverse_schemas.reference.territories import Territories
from traverse_stream_processors.enriching.enrich import enrich
from traverse_stream_processors.enriching.fold import fold
from traverse_stream_processors.linking.features import Features, features_of
from traverse_stream_processors.linking.words import likeness
from traverse_stream_processors.validating.validate import validate

_PLANTED = 130
"""Planted pairs of each sort."""

_NATURAL_MISSES = 200


class Judged(NamedTuple):
    """Two records and whether they are one thing; `sort` says where the pair comes from."""

    sort: str
    natural: bool
    same: bool
    left: Features
    right: Features

    @property
    def half(self) -> int:
        """0: thresholds may be chosen on it; 1: figures are given on it. By the left record."""
        return crc32(self.left.id.encode()) % 2


def read_states(folder: Path, *formats: str) -> list[RecordState]:
    """The states of the records of the files of these formats."""
    territories = Territories.load()
    enriched = partial(
        enrich,
        territories=territories,
        institutions=Institutions.load(Path("no-such-file"), territories),
    )
    states: dict[str, RecordState] = {}
    for feed in feeds_in(folder):
        if feed.format not in formats:
            continue
        for row in read_feed(feed):
            if isinstance(row, Dropped):
                continue
            for octets in octets_of([row]):
                accepted = validate(octets, RECEIVED, territories)
                states[accepted.key] = fold(states.get(accepted.key), accepted, enriched(accepted))
    return list(states.values())


def judged_set(states: list[RecordState], projects: list[RecordState]) -> list[Judged]:
    """All judged pairs, the same on every machine: of contracts and notices, and of projects."""
    random = Random(20261126)  # noqa: S311
    contracts = [state for state in states if ":decp-" in state["source"]]
    calls = [
        state
        for state in states
        if state["source"].endswith(":ted") and _content(state).get("deadline")
    ]
    pairs = [*_natural_contracts(contracts), *_natural_notices(states)]
    for sort, same, pool, change in (
        ("reworded", True, contracts, _reworded),
        ("corrected", True, contracts, _corrected),
        ("awarded", True, calls, _awarded),
        ("republished", True, calls, _republished),
        ("other year", False, contracts, _other_year),
        ("framework repeated", False, contracts, _repeated),
        ("other commune", False, contracts, partial(_other_commune, others=contracts)),
        ("other lot", False, contracts, _other_lot),
    ):
        for state in random.sample(pool, min(_PLANTED, len(pool))):
            changed = change(state, random)
            left, right = features_of(state), features_of(changed)
            if left and right:
                pairs.append(Judged(sort, False, same, left, right))
    return [*pairs, *_natural_misses(contracts, random), *_projects(projects)]


def procedures(states: list[RecordState]) -> list[tuple[Features, Features, Features]]:
    """Real calls, each with the contracts of two lots as a feed of contracts tells them: three
    records of one procedure, none of which is the same thing as another."""
    random = Random(20261127)  # noqa: S311
    calls = [
        state
        for state in states
        if _content(state).get("deadline") and "lot" not in _content(state)["title"].lower()
    ]
    found = []
    for state in random.sample(calls, min(_PLANTED, len(calls))):
        number = f"2026-PROC-{state['id'][:8]}"
        asked = {**_content(state), "references": [number], "lots": None}
        lots = [
            {
                **_awarded(state, random)["content"]["content"],  # type: ignore[index]
                "title": f"{asked['title']} - lot {lot}",
                "references": [number],
                "holders": [{"id": f"3877299650001{lot}"}],
            }
            for lot in (1, 2)
        ]
        told = (
            _told(state, system, content)
            for system, content in (("profil", asked), ("lot1", lots[0]), ("lot2", lots[1]))
        )
        one, first, second = (features_of(each) for each in told)
        assert one and first and second
        found.append((one, first, second))
    return found


def false_inside(things: list[tuple[Features, ...]]) -> list[tuple[Features, Features]]:
    """The pairs inside these things that cannot be one thing, by what identifies contracts: other
    owners, other lots, or one file that has other numbers for them with other sums and other
    holders or days."""
    return [
        (left, right)
        for thing in things
        for left, right in combinations(thing, 2)
        if _cannot_be_one(left, right)
    ]


def _cannot_be_one(left: Features, right: Features) -> bool:
    if left.owner and right.owner and left.owner != right.owner:
        return True
    if left.lots and right.lots and not set(left.lots) & set(right.lots):
        return True
    if left.source != right.source or ":decp-" not in left.source:
        return False
    stems = {tuple(sorted(one[:-2] for one in each.references)) for each in (left, right)}
    differ = left.holders != right.holders or left.notified != right.notified
    return len(stems) == 2 and left.amount != right.amount and differ


def _content(state: RecordState) -> Any:
    assert state["content"] is not None
    return state["content"]["content"]


def _natural_contracts(contracts: list[RecordState]) -> Iterator[Judged]:
    """The same number of the same buyer in both files, signed the same day or of the same sum:
    numbers alone repeat."""
    by_number: dict[tuple[str, str], RecordState] = {}
    for state in contracts:
        if state["source"].endswith("publics-info"):
            by_number.setdefault(_number(state), state)
    for state in contracts:
        other = by_number.get(_number(state))
        if other is None or state["source"] == other["source"] or not _number(state)[1]:
            continue
        one, two = _content(state), _content(other)
        if one.get("notified") == two.get("notified") or one.get("amount") == two.get("amount"):
            yield _judged("both DECP files", True, True, other, state)


def _natural_notices(states: list[RecordState]) -> Iterator[Judged]:
    """A notice and the one that it says it follows."""
    notices = {state["subject"]: state for state in states if state["source"].endswith(":ted")}
    for state in notices.values():
        for reference in _content(state).get("references", ())[1:]:
            year, _, number = reference.partition("/S ")
            followed = notices.get(f"{number.rpartition('-')[2]}-{year}")
            if followed is not None and followed is not state:
                yield _judged("TED notices", True, True, followed, state)


def _natural_misses(contracts: list[RecordState], random: Random) -> Iterator[Judged]:
    """Same buyer and object in one file, under other numbers, with another sum and other holders or
    another day: lots, framework agreements, other years."""
    groups: dict[tuple[str, str], list[RecordState]] = {}
    for state in contracts:
        key = (_content(state).get("owner_siren", ""), _content(state)["title"].lower())
        groups.setdefault(key, []).append(state)
    found = []
    for group in groups.values():
        for left, right in pairwise(group):
            one, two = _content(left), _content(right)
            stems = _number(left)[1][:-2], _number(right)[1][:-2]
            differs = one.get("amount") != two.get("amount") and (
                one.get("holders") != two.get("holders")
                or one.get("notified") != two.get("notified")
            )
            if differs and stems[0] != stems[1] and left["source"] == right["source"]:
                found.append(_judged("same buyer and object", True, False, left, right))
    yield from random.sample(found, min(_NATURAL_MISSES, len(found)))


def _projects(states: list[RecordState]) -> Iterator[Judged]:
    """Projects as their holder's funder tells them and as the EPCI around does; and two of one
    holder, the second as the EPCI tells it under its own title."""
    random = Random(20261128)  # noqa: S311
    known = [one for one in states if _content(one).get("owner_siren") and _epci(one)]
    for state in random.sample(known, _PLANTED):
        told = _by_epci(state, random)
        yield _judged("project of a commune", False, True, state, told)
    of_holder: dict[str, list[RecordState]] = {}
    for state in known:
        of_holder.setdefault(_content(state)["owner_siren"], []).append(state)
    alike = [
        pair for of_one in of_holder.values() for pair in pairwise(of_one) if _titles_alike(*pair)
    ]
    for left, right in random.sample(alike, _PLANTED):
        told = _by_epci(right, random, title=_content(right)["title"])
        yield _judged("other project", False, False, left, told)


def _epci(state: RecordState) -> str:
    """The SIREN of the EPCI around, "" where there is none."""
    return next((it[5:] for it in _content(state)["within"] if it.startswith("epci:")), "")


def _by_epci(state: RecordState, random: Random, title: str | None = None) -> RecordState:
    content = dict(_content(state))
    content |= {
        "title": title or _reword(content["title"], random),
        "references": None,
        "description": None,
    }
    if random.random() < 0.5:
        content |= {"amount": None, "amounts": None}
    return _told(state, "projets", content, "active", speaker=_epci(state))


def _titles_alike(left: RecordState, right: RecordState) -> bool:
    """Like each other, and not the same: under one title two grants may well be of one project."""
    one, two = features_of(left), features_of(right)
    assert one is not None
    assert two is not None
    return 0.45 <= likeness(frozenset(one.words), frozenset(two.words)) < 0.999


def _number(state: RecordState) -> tuple[str, str]:
    content = _content(state)
    return content.get("owner_siren", ""), next(iter(content.get("references", ())), "")


def _judged(sort: str, natural: bool, same: bool, one: RecordState, two: RecordState) -> Judged:
    left, right = features_of(one), features_of(two)
    assert left is not None
    assert right is not None
    return Judged(sort, natural, same, left, right)


def _told(
    state: RecordState,
    system: str,
    content: dict[str, Any],
    life: str = "closed",
    speaker: str = "130025265",
) -> RecordState:
    """The record as another source tells it."""
    source = f"urn:siren:{speaker}:{system}"
    subject = f"{system.upper()}-{state['id'][:6]}"
    whole = {key: value for key, value in content.items() if value is not None}
    return cast(
        RecordState,
        {
            **state,
            "source": source,
            "subject": subject,
            "id": opportunity_id(source, subject),
            "content": {"version": [0, "x", "x"], "content": whole},
            "life": {"version": [0, "x", "x"], "state": life},
        },
    )


_SYNONYMS = {
    "travaux": "chantier",
    "réfection": "rénovation",
    "fourniture": "livraison",
    "maintenance": "entretien",
    "entretien": "maintenance",
    "nettoyage": "entretien",
    "acquisition": "achat",
    "achat": "acquisition",
    "construction": "réalisation",
    "mission": "prestation",
    "prestations": "services",
    "aménagement": "travaux d'aménagement",
    "réhabilitation": "rénovation",
}
_DROPPED = {
    "le",
    "la",
    "les",
    "de",
    "du",
    "des",
    "relatif",
    "relative",
    "marché",
    "présent",
    "pour",
}


def _reword(title: str, random: Random) -> str:
    """As another clerk would write it: other common words, fewer small ones, another order, other
    capitals, an end cut short."""
    words = title.replace("/", " ").split()
    kept = [
        _SYNONYMS.get(word.lower(), word) if random.random() < 0.5 else word
        for word in words
        if word.lower() not in _DROPPED or random.random() < 0.4
    ]
    if len(kept) > 9 and random.random() < 0.4:
        kept = kept[: max(7, int(len(kept) * 0.75))]
    text = " ".join(kept)
    if " - " in text and random.random() < 0.5:
        first, _, last = text.partition(" - ")
        text = f"{last} - {first}"
    return random.choice((text, text.upper(), text.capitalize()))


def _reworded(state: RecordState, random: Random) -> RecordState:
    """The award on the buyer's profile: no number, the words of somebody else."""
    content = dict(_content(state))
    content |= {
        "title": _reword(content["title"], random),
        "references": None,
        "amount": content.get("amount") if random.random() < 0.6 else None,
        "holders": content.get("holders") if random.random() < 0.7 else None,
        "cpv": content.get("cpv") if random.random() < 0.7 else None,
        "duration_months": None,
    }
    return _told(state, "profil", content)


def _corrected(state: RecordState, random: Random) -> RecordState:
    """The same number, with what was wrong put right."""
    content = dict(_content(state))
    amount = content.get("amount")
    content |= {
        "title": _reword(content["title"], random) if random.random() < 0.5 else content["title"],
        "amount": round(amount * random.choice((1, 1.02, 0.9, 1.2)), 2) if amount else None,
        "duration_months": (content.get("duration_months") or 12) + random.choice((0, 0, 12)),
        "notified": _moved(content.get("notified"), random.choice((0, 0, 3, 20))),
    }
    return _told(state, "correction", content)


def _awarded(state: RecordState, random: Random) -> RecordState:
    """The contract that came of a call."""
    content = dict(_content(state))
    own = [one for one in content.get("references", ())[1:] if "/S " not in one]
    content |= {
        "title": _reword(content["title"], random) if random.random() < 0.5 else content["title"],
        "notified": _moved(content["deadline"]["until"][:10], random.randint(40, 150)),
        "deadline": None,
        "references": own if own else content.get("references"),
        "holders": [{"id": "38772996500013", "name": "Une entreprise"}],
        "amount": float(random.randint(50, 900) * 1000),
        "amounts": [],
        "url": None,
    }
    return _told(state, "attribution", content)


def _republished(state: RecordState, random: Random) -> RecordState:
    """The call in another journal: a number of that one, and its words."""
    content = dict(_content(state))
    content |= {
        "title": _reword(content["title"], random),
        "references": [f"21-{random.randint(1000, 99999)}"],
        "url": "https://exemple.fr/boamp",
        "amount": None,
    }
    if random.random() < 0.3:
        content |= {"owner_siren": None, "owner_id": None}
    return _told(state, "boamp", {k: v for k, v in content.items() if v is not None}, "active")


def _other_year(state: RecordState, random: Random) -> RecordState:
    """What the buyer buys again a year or two later, from the same firm, for about as much."""
    content = dict(_content(state))
    years = random.choice((1, 2))
    amount = content.get("amount")
    content |= {
        "notified": _moved(content.get("notified"), 365 * years + random.randint(-25, 25)),
        "references": [f"20{19 + years}{random.randint(10000, 99999)}00"],
        "amount": round(amount * random.uniform(0.97, 1.1), 2) if amount else None,
        "title": _reword(content["title"], random) if random.random() < 0.4 else content["title"],
    }
    return _told(state, "annee", content)


def _repeated(state: RecordState, random: Random) -> RecordState:
    """A framework agreement that comes back each year under the same words, sum and firm, its
    number but for the year the same."""
    content = dict(_content(state))
    number = _number(state)[1]
    content |= {
        "notified": _moved(content.get("notified"), 365 + random.randint(-10, 10)),
        "references": [f"20{20 + random.randint(0, 2)}{number[4:]}"] if len(number) > 6 else None,
        "techniques": ["framework_agreement"],
    }
    return _told(state, "cadre", content)


def _other_commune(state: RecordState, random: Random, others: list[RecordState]) -> RecordState:
    """The same words, of another buyer elsewhere."""
    content = dict(_content(state))
    other = _content(random.choice(others))
    while other.get("owner_siren") == content.get("owner_siren"):
        other = _content(random.choice(others))
    for name in ("owner_siren", "owner_id", "owner_kind", "institutions", "place", "within",
                 "covers", "territory"):  # fmt: skip
        content[name] = other.get(name)
    content["references"] = [f"2019{random.randint(10000, 99999)}00"]
    content["notified"] = _moved(content.get("notified"), random.randint(-20, 20))
    return _told(state, "commune", content)


def _other_lot(state: RecordState, random: Random) -> RecordState:
    """Another lot of the same procedure: same buyer, object and day; another sum and firm."""
    content = dict(_content(state))
    number = _number(state)[1]
    content |= {
        "title": f"{content['title']} - lot {random.randint(11, 19)}",
        "references": [f"{number[:-4]}{random.randint(10, 99)}00"] if len(number) > 8 else None,
        "amount": round((content.get("amount") or 1000) * random.uniform(0.2, 0.8), 2),
        "holders": [{"id": "38772996500013", "name": "Une entreprise"}],
    }
    return _told(state, "lot", content)


def _moved(day: str | None, days: int) -> str | None:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat() if day else None
