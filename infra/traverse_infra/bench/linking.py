"""What linking costs by event, and what it holds in memory, as the number of records grows.

The pure part alone, in this process: features, blocks, judging, groups. Records are generated: as
many buyers, titles, days and sums as a real year has, one in ten told again by another source.
"""

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import islice
from random import Random
from typing import Any, Final, TypedDict, cast

import psutil

from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.log.record_state import RecordState
from traverse_stream_processors.linking.features import features_of
from traverse_stream_processors.linking.linker import Linker

SIZES: Final = (10_000, 100_000, 1_000_000)
MEASURED: Final = 10_000
"""How many events each figure is taken from: the last ones before a size is reached."""

_WHAT: Final = (
    "Réfection de la voirie", "Rénovation énergétique", "Entretien des espaces verts",
    "Fourniture de repas en liaison froide", "Construction d'une crèche", "Mission de maîtrise",
    "Maintenance des ascenseurs", "Location de photocopieurs", "Assainissement et eau potable",
    "Éclairage public", "Transport scolaire", "Nettoyage des locaux", "Achat de véhicules",
    "Travaux de couverture", "Étude de faisabilité", "Collecte des déchets",
)  # fmt: skip
WHERE: Final = (
    "école", "gymnase", "mairie", "médiathèque", "piscine", "stade", "quartier nord", "centre",
    "port", "parc", "place", "chemin", "hôpital", "collège", "lycée", "marché couvert",
)  # fmt: skip
NAMES: Final = (
    "Jaurès", "Pasteur", "Mistral", "Giono", "Camus", "Zola", "Hugo", "Ferry", "Moulin", "Curie",
    "Prévert", "Pagnol", "Daudet", "Cézanne", "Éluard", "Aragon", "Sand", "Colette", "Verlaine",
)  # fmt: skip


class LinkFigure(TypedDict):
    """At `records` known: microseconds of CPU by event, resident mebibytes that linking added, and
    links between records. `candidates`: how many others were judged beside each of these events,
    which no other program on the machine makes longer."""

    records: int
    microseconds: float
    mebibytes: float
    links: int
    candidates: float


def measure_linking(
    say: Callable[[str], None], sizes: Sequence[int] = SIZES, seed: int = 1
) -> list[LinkFigure]:
    """The figures at each size. Takes minutes for a million."""
    with as_the_worker():
        return list(_figures(say, sizes, seed))


@contextmanager
def as_the_worker() -> Iterator[None]:
    """Memory is looked through for garbage as seldom as the worker does."""
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _figures(say: Callable[[str], None], sizes: Sequence[int], seed: int) -> Iterator[LinkFigure]:
    process = psutil.Process()
    began = process.memory_info().rss
    linker = Linker()
    states = generated(seed)
    known = 0
    for size in sizes:
        measured = min(MEASURED, size - known)
        # One by one: a list of them would be most of the memory that is measured.
        _link(linker, islice(states, size - known - measured))
        batch = list(islice(states, measured))
        start = time.process_time()
        _link(linker, batch)
        spent = time.process_time() - start
        known = size
        features = [found for state in batch[::7] if (found := features_of(state))]
        judged = sum(len(linker.book.candidates(one)) for one in features)
        del batch
        figure = LinkFigure(
            records=size,
            microseconds=round(spent / measured * 1e6, 1),
            mebibytes=round((process.memory_info().rss - began) / 2**20, 1),
            links=sum(1 for _ in linker.every_link()),
            candidates=round(judged / len(features), 2),
        )
        say(
            f"{size} dossiers : {figure['microseconds']} µs par événement, "
            f"{figure['mebibytes']} Mio, {figure['links']} liens, {figure['candidates']} dossiers "
            "comparés par événement."
        )
        yield figure


def _link(linker: Linker, states: Iterable[RecordState]) -> None:
    for state in states:
        linker.groups(linker.put(state["id"], features_of(state)))


def generated(seed: int) -> Iterator[RecordState]:
    """Records without end, the same for a seed."""
    random = Random(seed)  # noqa: S311 -- to be the same each time, not secret
    number = 0
    last: dict[str, Any] = {}
    while True:
        number += 1
        twin = number % 10 == 0
        content = last if twin else _content(random, number)
        last = content
        yield state_of(number, content, None, twin=twin)


def state_of(
    number: int, content: dict[str, Any], life: dict[str, Any] | None, *, twin: bool
) -> RecordState:
    """The state of the record of this number, told by its buyer, or (a twin) by a journal."""
    source = f"urn:siren:181300013:{'boamp' if twin else 'profil'}"
    return cast(
        RecordState,
        {
            "id": opportunity_id(source, str(number)),
            "source": source,
            "subject": f"{'B' if twin else 'P'}-{number:07}",
            "kind": content["kind"],
            "first_time": f"2026-01-01T00:00:{number % 60:02}.000000Z",
            "content": {"version": [0, "", ""], "content": content},
            "life": {"version": [0, "", ""], **(life or {"state": "active"})},
        },
    )


def _content(random: Random, number: int) -> dict[str, Any]:
    buyer = random.randrange(40_000)
    department = f"{buyer % 95 + 1:02}"
    day = date(2019, 1, 1) + timedelta(days=random.randrange(2500))
    commune = f"com:{department}{buyer % 400:03}"
    return {
        "kind": "call",
        "subtype": "contract",
        "title": f"{random.choice(_WHAT)} {random.choice(WHERE)} {random.choice(NAMES)} "
        f"{random.choice(NAMES)} {buyer % 900}",
        "visibility": "public",
        "institutions": [{"name": f"Commune {buyer}", "role": "owner"}],
        "owner_siren": f"{200_000_000 + buyer}",
        "owner_kind": "commune",
        "references": [f"{day.year}{number:08}00"],
        "cpv": [f"{random.randrange(3000, 9900)}0000"],
        "themes": [],
        "place": [commune],
        "within": [commune, f"dep:{department}", "fr"],
        "covers": [commune],
        "amount": float(random.randrange(400, 90_000) * 10),
        "amounts": [],
        "deadline": {"until": f"{day}T{random.randrange(8, 18):02}:00:00.000000Z"},
        "duration_months": random.choice((12, 24, 36, 48)),
    }
