"""The figures of linking, at sizes that take no time."""

from itertools import islice

from traverse_infra.bench.linking import generated, measure_linking


def test_each_size_has_its_figure_and_twins_are_found() -> None:
    said: list[str] = []
    figures = measure_linking(said.append, sizes=(200, 500))
    assert [one["records"] for one in figures] == [200, 500]
    assert figures[1]["links"] >= 45
    assert all(one["microseconds"] > 0 for one in figures)
    assert len(said) == 2


def test_the_records_are_the_same_each_time() -> None:
    assert list(islice(generated(3), 50)) == list(islice(generated(3), 50))
