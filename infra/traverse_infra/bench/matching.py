"""What matching adds to linking, by event and by need, and in memory, as records become many.

The pure part alone, in this process, over records that are generated: of a hundred 8 are needs (6
of buyers, 2 of firms), 12 open calls, 20 projects, 60 contracts that were let, of which those for
supplies and services are bought again. One in ten is told twice. Buyers are communes; what they
buy are some four hundred codes of the CPV, few of them often; half of the needs say no code.
"""

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from random import Random
from typing import Any, Final, NamedTuple, TypedDict

import psutil

from traverse_infra.bench.linking import MEASURED, NAMES, SIZES, WHERE, as_the_worker, state_of
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.reference.cpv import cpv_labels_up, cpv_table
from traverse_schemas.reference.rows import TerritoryChain
from traverse_schemas.reference.territories import Territories
from traverse_schemas.reference.themes import theme_of_cpv, themes_of_text
from traverse_stream_processors.likeness.model import base_model
from traverse_stream_processors.linking.features import features_of
from traverse_stream_processors.linking.linker import Linker
from traverse_stream_processors.matching.facts import Reader
from traverse_stream_processors.matching.matcher import Matcher

_BATCH: Final = 500  # after so many the step writes what changed
_CODES: Final = 400
_TODAY: Final = date(2026, 11, 1)


class MatchFigure(TypedDict):
    """At `records` known: microseconds of CPU by event for linking and matching together, for
    matching alone (what is read of a record, and the groupings told anew, included), and for
    matching a need; resident mebibytes that both added; how many answers are proposed, purchases
    joint, groupings formed. `share_of_needs` of the records are needs."""

    records: int
    share_of_needs: float
    microseconds: float
    matching_microseconds: float
    need_microseconds: float
    mebibytes: float
    links: int
    answers: int
    joint: int
    groupings: int


class _Spent(NamedTuple):
    """Seconds of CPU: for linking, matching needs, matching others, telling what changed."""

    linking: float
    needs: float
    others: float
    telling: float


def measure_matching(
    say: Callable[[str], None], sizes: Sequence[int] = SIZES, seed: int = 1
) -> list[MatchFigure]:
    """The figures at each size. Takes a quarter of an hour for a million."""
    with as_the_worker():
        return list(_figures(say, sizes, seed))


def _figures(say: Callable[[str], None], sizes: Sequence[int], seed: int) -> Iterator[MatchFigure]:
    states = mixed(seed)
    reader = Reader(base_model())
    reader.read(next(mixed(seed)))  # tables are read and held whatever is matched
    gc.collect()
    process = psutil.Process()
    began = process.memory_info().rss
    linker, matcher = Linker(), Matcher()
    known = 0
    for size in sizes:
        measured = min(MEASURED, size - known)
        _take(linker, matcher, reader, islice(states, size - known - measured))
        batch = list(islice(states, measured))
        spent = _take(linker, matcher, reader, batch)
        needs = sum(state["kind"] == "need" for state in batch)
        known = size
        del batch
        figure = MatchFigure(
            records=size,
            share_of_needs=round(needs / measured, 3),
            microseconds=_micro(sum(spent), measured),
            matching_microseconds=_micro(sum(spent) - spent.linking, measured),
            need_microseconds=_micro(spent.needs, needs),
            mebibytes=round((process.memory_info().rss - began) / 2**20, 1),
            links=sum(1 for _ in linker.every_link()),
            answers=sum(1 for _ in matcher.every_answer()),
            joint=sum(1 for _ in matcher.every_bond()),
            groupings=sum(1 for _ in matcher.every_grouping()),
        )
        say(
            f"{size} dossiers, dont {figure['share_of_needs']:.0%} de besoins : "
            f"{figure['microseconds']} µs par événement, dont {figure['matching_microseconds']} "
            f"pour les réponses et groupements ({figure['need_microseconds']} par besoin), "
            f"{figure['mebibytes']} Mio."
        )
        yield figure


def _take(
    linker: Linker, matcher: Matcher, reader: Reader, states: Iterable[RecordState]
) -> _Spent:
    linking = telling = 0.0
    matching = {True: 0.0, False: 0.0}
    now = time.process_time
    left = iter(states)
    while batch := list(islice(left, _BATCH)):
        for state in batch:
            start = now()
            linker.groups(linker.put(state["id"], features_of(state)))
            linked = now()
            matcher.put(state["id"], reader.read(state))
            linking += linked - start
            matching[state["kind"] == "need"] += now() - linked
        start = now()
        linker.changed_links()
        for key in sorted(matcher.changed()[2]):
            matcher.grouping(key)
        telling += now() - start
    return _Spent(linking, matching[True], matching[False], telling)


def _micro(seconds: float, events: int) -> float:
    return round(seconds / max(1, events) * 1e6, 1)


def mixed(seed: int) -> Iterator[RecordState]:
    """Records without end, the same for a seed."""
    random = Random(seed)  # noqa: S311 -- to be the same each time, not secret
    territories = Territories.load()
    towns = [commune.code for commune in territories.communes()]
    codes = [code for code in cpv_table() if theme_of_cpv(code) and not code[6:8].strip("0")]
    bought = random.sample(codes, _CODES)
    number = 0
    last: tuple[dict[str, Any], dict[str, Any] | None] = ({}, None)
    while True:
        number += 1
        twin = number % 10 == 0
        if not twin:
            buyer = random.randrange(len(towns))
            chain = territories.chain(towns[buyer])
            code = bought[int(_CODES * random.random() ** 2)]
            if chain is None:
                continue
            last = _record(random, number, f"{200_000_000 + buyer}", chain, code)
        yield state_of(number, *last, twin=twin)


def _record(
    random: Random, number: int, siren: str, chain: TerritoryChain, code: str
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The content and, where it is over, the end of a record of a town."""
    label = cpv_table()[code]
    content: dict[str, Any] = {
        "title": f"{label}, {random.choice(WHERE)} {random.choice(NAMES)} {random.choice(NAMES)}",
        "visibility": "public",
        "institutions": [{"name": chain.name, "role": "owner", "siren": siren}],
        "owner_siren": siren,
        "owner_kind": "commune",
        "references": [f"{2019 + number % 8}{number:08}00"],
        "cpv": [code],
        "cpv_labels": [above for _, above in cpv_labels_up(code)],
        "themes": [theme] if (theme := theme_of_cpv(code)) else [],
        "place": [chain.code],
        "within": list(chain.codes),
        "covers": [chain.code],
        "territory": {"name": chain.name},
        "location": {"lat": chain.lat, "lon": chain.lon},
        "amount": float(random.randrange(400, 90_000) * 10),
        "amounts": [],
    }
    soon = _TODAY + timedelta(days=random.randrange(30, 400))
    drawn = random.randrange(100)
    if drawn < 8:
        content["kind"], content["window"] = "need", _window(soon, 90)
        content["visibility"] = "public" if drawn % 2 else "buyers"
        if drawn < 2:
            firm = {"name": f"Entreprise {number}", "role": "owner"}
            content |= {"subtype": "business", "owner_kind": "other", "institutions": [firm]}
            content |= {
                "title": f"Entreprise : {label.lower()}",
                "owner_siren": f"{300_000_000 + number}",
            }
        else:
            content["subtype"] = "purchase"
        if random.random() < 0.5:
            del content["cpv"], content["cpv_labels"]
            content["themes"] = list(themes_of_text(content["title"]))
        return content, None
    if drawn < 20:
        until = {"until": f"{soon}T{random.randrange(8, 18):02}:00:00.000000Z"}
        return content | {"kind": "call", "subtype": "contract", "deadline": until}, None
    if drawn < 40:
        area = [code for code in chain.codes if code.startswith("epci:")]
        planned = {"kind": "project", "subtype": "project", "stage": "studies", "covers": area}
        return content | planned | {"window": _window(soon, 365)}, None
    notified = date(2019, 1, 1) + timedelta(days=random.randrange(2500))
    months = random.choice((12, 24, 36, 48))
    let: dict[str, Any] = {"kind": "call", "subtype": "contract", "notified": f"{notified}"}
    let |= {"duration_months": months, "end_max": f"{notified + timedelta(days=30 * months)}"}
    return content | let, {"state": "closed", "outcome": "awarded"}


def _window(start: date, days: int) -> dict[str, str]:
    return {"from": f"{start}", "to": f"{start + timedelta(days=days)}"}
