"""The measure of the judged set, and the form of its file."""

import csv
from pathlib import Path

import pytest

from tests.search_api.judgement import judged_queries, ndcg


def test_the_best_order_is_one_and_a_worse_one_less() -> None:
    """By hand: 3 then 1 is 7 + 1/log2(3); turned round it is 1 + 7/log2(3)."""
    grades = {"a": 3, "b": 1}
    assert ndcg(["a", "b"], grades) == 1
    assert ndcg(["b", "a"], grades) == pytest.approx((1 + 7 / 1.58496) / (7 + 1 / 1.58496), 1e-4)
    assert ndcg(["c"], grades) == 0


def test_only_the_first_ten_count() -> None:
    assert ndcg([f"x{n}" for n in range(10)] + ["a"], {"a": 3}) == 0


def test_where_nothing_must_be_found_only_nothing_is_right() -> None:
    assert (ndcg([], {}), ndcg(["a"], {})) == (1, 0)


def test_the_file_is_well_formed() -> None:
    """At least eighty queries; each pair judged once, with a grade and a reason."""
    with (Path(__file__).parent / "judged_queries.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    pairs = [(row["query"], row["reference"]) for row in rows]
    assert len(set(pairs)) == len(pairs)
    assert all(row["reason"] and row["grade"] in {"0", "1", "2", "3"} for row in rows)
    assert len(judged_queries()) >= 80
