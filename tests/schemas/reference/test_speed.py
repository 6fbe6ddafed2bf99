"""Loading the tables and looking things up stays cheap enough to do everywhere: processor time, so
that what else the machine does counts little."""

import subprocess
import sys
import timeit
from collections.abc import Callable
from time import process_time

import pytest

from traverse_schemas.reference.cpv import cpv_label
from traverse_schemas.reference.territories import Territories
from traverse_schemas.reference.themes import theme_of_cpv

LOAD = """
import time
from traverse_schemas.reference import territories
assert "traverse_schemas.reference.territories" and territories._load.cache_info().currsize == 0
start = time.process_time()
t = territories.Territories.load()
t.by_siren("211300553"), t.communes_of_postal("13001"), t.find_commune("Marseille", "13")
print(time.process_time() - start)
"""


def test_loading_with_every_index_takes_less_than_300_ms() -> None:
    times = [
        float(subprocess.run([sys.executable, "-c", LOAD], check=True, capture_output=True).stdout)
        for _ in range(3)
    ]
    assert min(times) < 0.3


@pytest.mark.parametrize(
    "look_up",
    [
        lambda: Territories.load().commune("13201"),
        lambda: Territories.load().chain("com:13055"),
        lambda: Territories.load().by_siren("211300553"),
        lambda: Territories.load().epci("200054807"),
        lambda: Territories.load().communes_of_postal("13001"),
        lambda: cpv_label("45233140"),
        lambda: theme_of_cpv("45233140"),
    ],
)
def test_a_look_up_takes_less_than_5_microseconds(look_up: Callable[[], object]) -> None:
    assert look_up() is not None
    assert min(timeit.repeat(look_up, number=2000, repeat=5, timer=process_time)) / 2000 < 5e-6
