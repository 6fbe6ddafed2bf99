"""The score of two records: the same either way, and the same to who asks from some score on."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stream_processors.linking.records import features
from traverse_stream_processors.linking.features import Features
from traverse_stream_processors.linking.same import SAME, aspects, score

_BASE = features("one")._asdict()

_VALUES: dict[str, list[Any]] = {
    "source": ["urn:siren:211300553", "urn:siren:181300013:boamp"],
    "owner": ["211300553", "200054807", ""],
    "owner_name": ["aix provence", "marseille metropole", ""],
    "words": [("ecole", "jaure", "toiture"), ("ecole", "jaure"), ("gymnase",), ()],
    "lots": [(), ("1",), ("2",)],
    "years": [(), (2025,), (2026,)],
    "references": [
        (), ("2026M0100",), ("2026M0101",), ("2024X9900",), ("BOAMP26-12345",),
        ("BOAMP26-12345", "2026M0100"), ("TED2026-1",),
    ],
    "url": ["", "https://marches.example/1"],
    "cpv": [(), ("45261000",), ("45214000",), ("09310000",)],
    "place": [("com:13055",), ("com:13001",), ("dep:13",)],
    "within": [("com:13055", "dep:13", "reg:93"), ("com:13001", "dep:13"), ("dep:13",)],
    "amount": [None, 100_000.0, 100_001.0, 95_000.0, 10_000.0],
    "amount_kind": ["awarded", "estimate"],
    "deadline": ["", "2026-12-01T11:00", "2026-12-01T22:59", "2027-03-15T11:00"],
    "notified": ["", "2026-01-10", "2026-02-20", "2022-01-10"],
    "start": ["", "2026-01-10", "2027-01-10"],
    "duration_months": [None, 12, 48],
    "holders": [(), ("123456782",), ("987654324",)],
    "kind": ["call", "project"],
}  # fmt: skip


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Features, Features]:
    """Two records alike in most: else hardly any would be one."""
    mine = {name: draw(st.sampled_from(values)) for name, values in _VALUES.items()}
    other = draw(st.sets(st.sampled_from(sorted(_VALUES)), max_size=6))
    theirs = {name: draw(st.sampled_from(_VALUES[name])) for name in sorted(other)}
    left = Features(**{**_BASE, **mine, "id": "left"})
    return left, Features(**{**_BASE, **mine, **theirs, "id": "right"})


@given(pairs())
def test_who_asks_from_some_score_on_is_told_the_same_there(
    pair: tuple[Features, Features],
) -> None:
    left, right = pair
    whole = score(left, right)
    asked = score(left, right, least=SAME)
    assert asked in {whole, 0.0}
    assert (asked >= SAME) == (whole >= SAME)
    assert score(right, left) == pytest.approx(whole)


@given(pairs())
def test_no_aspect_adds_more_than_is_counted_on(pair: tuple[Features, Features]) -> None:
    """Were a bound too low, two records could be missed; whatever the least, none is."""
    left, right = pair
    whole = score(left, right)
    if left.kind == right.kind:
        for least in (0.01, 0.3, 0.6, 0.99):
            assert (score(left, right, least=least) >= least) == (whole >= least)
        assert len({aspect for aspect, _ in aspects(left, right)}) == len(aspects(left, right))


def test_other_audiences_other_kinds_and_other_years_are_never_one_thing() -> None:
    """Though all else is the same: number, owner, title, sum and place."""
    one = features("one")
    other = one._replace(id="other", source="urn:siren:181300013:boamp")
    assert score(one, other) >= SAME
    others: list[dict[str, Any]] = [
        {"audience": "buyers"}, {"kind": "project"}, {"subtype": "concession"},
    ]  # fmt: skip
    for changes in others:
        assert score(one, other._replace(**changes)) == 0
    mine, theirs = (it._replace(references=(), url="", years=(2026,)) for it in (one, other))
    assert score(mine, theirs) >= SAME
    assert score(mine, theirs._replace(years=(2027,))) < SAME
