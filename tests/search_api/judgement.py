"""The judged set: real queries, and which records answer them how well.

`judged_queries.csv` holds a line for each judged pair: the query, the record (its source's system
and subject), a grade and the reason. 3: exactly what was asked; 2: the thing, said elsewhere or in
part; 1: near; what is not listed is 0. A line without a record says that nothing must be found.
Add lines freely; a query needs at least one.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from math import log2
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("judged_queries.csv")

Grades = Mapping[str, int]


def judged_queries() -> dict[str, dict[str, int]]:
    """Query -> reference -> grade; {} where nothing must be found."""
    found: dict[str, dict[str, int]] = {}
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            grades = found.setdefault(row["query"], {})
            if row["reference"]:
                grades[row["reference"]] = int(row["grade"])
    return found


def reference_of(document: Mapping[str, Any]) -> str:
    """The record of an item or a document as the file names it: `ted:005535-2017`."""
    source = document["sources"][0]
    return f"{source['source'].rsplit(':', 1)[1]}:{source['subject']}"


def ndcg(ranked: Sequence[str], grades: Grades, depth: int = 10) -> float:
    """Normalised discounted cumulative gain of a ranking, from 0 to 1.

    Järvelin and Kekäläinen 2002, with the gain 2^grade - 1. Where nothing must be found, 1 for an
    empty answer and 0 for any other.
    """
    if not grades:
        return 0.0 if ranked else 1.0
    best = _dcg(sorted(grades.values(), reverse=True)[:depth])
    return _dcg(grades.get(reference, 0) for reference in ranked[:depth]) / best


def _dcg(grades: Iterable[int]) -> float:
    return sum((2.0**grade - 1) / log2(place + 2) for place, grade in enumerate(grades))
