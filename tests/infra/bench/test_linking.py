"""The figures of linking, at sizes that take no time."""

from itertools import islice

import pytest

from traverse_infra.bench.linking import generated, measure_linking
from traverse_infra.bench.matching import measure_matching, mixed


def test_each_size_has_its_figure_and_twins_are_found() -> None:
    said: list[str] = []
    figures = measure_linking(said.append, sizes=(200, 500))
    assert [one["records"] for one in figures] == [200, 500]
    assert figures[1]["links"] >= 45
    assert all(one["microseconds"] > 0 for one in figures)
    assert len(said) == 2


def test_the_records_are_the_same_each_time() -> None:
    assert list(islice(generated(3), 50)) == list(islice(generated(3), 50))


def test_matching_has_its_figures_beside() -> None:
    said: list[str] = []
    figures = measure_matching(said.append, sizes=(300, 1500))
    assert [one["records"] for one in figures] == [300, 1500]
    last = figures[-1]
    assert last["share_of_needs"] == pytest.approx(0.08, abs=0.02)
    assert last["microseconds"] > last["matching_microseconds"] > 0
    assert last["need_microseconds"] > 0
    assert last["answers"] + last["joint"] > 0
    assert len(said) == 2


def test_records_with_needs_are_the_same_each_time() -> None:
    assert list(islice(mixed(3), 50)) == list(islice(mixed(3), 50))
