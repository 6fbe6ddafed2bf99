"""Feeds whose fields are anything at all: every row ends as a valid event or a sentence.

Seeded: the same mutations on every machine. A longer run is a larger TIMES.
"""

import copy
import io
import json
import random
from typing import Any

from lxml import etree

from tests.producers.importers import eforms_samples, test_boamp, test_ocds
from tests.producers.importers.checks import CONTEXT, check
from traverse_producers.importers.registry import IMPORTERS

TIMES = 120
JUNK: tuple[Any, ...] = (
    None, "", 0, -1, 1e300, True, [], {}, ["x"], [{}], {"a": 1}, "x" * 600, "2026-13-45",
    "\ud800", "a\x00b", [[1]], 12345678901234567890, "-5", "NaN",
)  # fmt: skip
TEXTS = ("", "x" * 700, "-1", "2024-99-99", "NaN", "LOT-0002", "ORG-0009", "9" * 20, "true",
         "1970-01-01Z", "2024-05-13+99:00")  # fmt: skip


def mutated(value: Any, chance: random.Random) -> Any:
    """The JSON value with some of its parts replaced."""
    whole = copy.deepcopy(value)
    places: list[tuple[Any, Any]] = []
    todo = [whole]
    while todo:
        part = todo.pop()
        keys = (
            part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
        )
        for key in keys:
            places.append((part, key))
            todo.append(part[key])
    for _ in range(chance.randint(1, 4)):
        part, key = chance.choice(places)
        part[key] = chance.choice(JUNK)
    return whole


def mutated_xml(content: str, chance: random.Random) -> bytes:
    """The document with elements emptied, filled, taken away or repeated."""
    root = etree.fromstring(content.encode())
    elements = list(root.iter())[1:]
    for _ in range(chance.randint(1, 4)):
        element, kind = chance.choice(elements), chance.randrange(3)
        parent = element.getparent()
        if kind == 0:
            element.text = chance.choice(TEXTS)
        elif parent is not None:
            parent.append(copy.deepcopy(element)) if kind == 1 else parent.remove(element)
    return etree.tostring(root)


def read(feed: str, octets: bytes, name: str) -> None:
    check(IMPORTERS[feed](io.BytesIO(octets), name, CONTEXT))


def test_ocds_releases_of_anything() -> None:
    """Wrong types, wrong dates, half characters."""
    chance = random.Random(1)  # noqa: S311 - mutations, no secrets
    award = test_ocds.release("award", awards=test_ocds.AWARDS, contracts=test_ocds.CONTRACTS)
    for _ in range(TIMES):
        one = mutated(chance.choice([test_ocds.release(), award]), chance)
        read("ocds", json.dumps({"releases": [one]}).encode(), "a.json")


def test_boamp_records_of_anything() -> None:
    """Outside, and inside of `donnees`."""
    chance = random.Random(2)  # noqa: S311 - mutations, no secrets
    forms = [test_boamp.FNSIMPLE, test_boamp.MAPA, test_boamp.LEGACY]
    for _ in range(TIMES):
        row = mutated(test_boamp.row(mutated(chance.choice(forms), chance)), chance)
        read("boamp", json.dumps({"results": [row]}).encode(), "a.json")


def test_eforms_notices_of_anything() -> None:
    """Parts that are missing, repeated, or hold something else."""
    chance = random.Random(3)  # noqa: S311 - mutations, no secrets
    results = eforms_samples.results(
        eforms_samples.result(firms="ORG-0002 ORG-0003"),
        eforms_samples.not_awarded("LOT-0002", "no-rece"),
    )
    lots = eforms_samples.lot() + eforms_samples.lot("LOT-0002")
    notices = [
        eforms_samples.notice(lots=eforms_samples.lot(more=eforms_samples.valued("2", "3"))),
        eforms_samples.award_notice(results, lots=lots),
        eforms_samples.notice(extension=eforms_samples.changed("cor-buy")),
    ]
    for _ in range(TIMES):
        read("eforms", mutated_xml(chance.choice(notices), chance), "a.xml")
