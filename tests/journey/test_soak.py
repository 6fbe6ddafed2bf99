"""Whatever is killed while events flow, every acknowledged event is accounted for in the end.

`make soak` does it with 20,000 events; TRAVERSE_SOAK_EVENTS and TRAVERSE_SOAK_SEED choose.
"""

import os
from pathlib import Path
from random import Random

import pytest

from tests.journey.harness import Journey, Sent
from tests.journey.history import Mixed, reused
from tests.journey.soak import soak
from traverse_infra.engines.runner import Engines

pytestmark = pytest.mark.engines

EVENTS = int(os.environ.get("TRAVERSE_SOAK_EVENTS", "1000"))
SEED = int(os.environ.get("TRAVERSE_SOAK_SEED", "4"))
PARTS = ("validate", "index", "kafka", "gateway")


def messages() -> list[Sent]:
    """A mixed history, some of it sent twice, as a publisher that asks again would."""
    random = Random(SEED)  # noqa: S311
    found = list(Mixed(seed=SEED, size=EVENTS).messages)
    found += [one for number in range(EVENTS // 500) for one in reused(number)]
    for _ in range(EVENTS // 50):
        place = random.randrange(len(found))
        found.insert(random.randrange(place, len(found)), found[place])
    return found


def test_every_acknowledged_event_is_accounted_for_whatever_is_killed(
    own: Engines, tmp_path: Path
) -> None:
    random = Random(SEED + 1)  # noqa: S311
    kills = [*PARTS, *random.choices(PARTS, weights=(5, 5, 1, 5), k=EVENTS // 1000)]
    random.shuffle(kills)
    journey = Journey(own.kafka, own.elasticsearch, tmp_path / "home")
    own.up()
    journey.begin()
    try:
        found = soak(own, journey, messages(), kills=kills, seed=SEED)
    finally:
        journey.stop()
    print(f"\nsoak with seed {SEED}:\n{found}")  # noqa: T201 -- what `make soak` is for
    assert found.wrong == []
    assert found.acknowledged + found.refused == found.published
    assert found.ends["searchable"] > EVENTS // 5
    assert sum(found.kills.values()) >= len(kills)
