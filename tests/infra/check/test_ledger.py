"""The ledger names what differs between log and index, institution by institution."""

from pathlib import Path
from typing import Any

import pytest

from traverse_infra.check.ledger import STUB, Entry, Ledger, What, entry


def document(identity: str, title: str = "Titre", siren: str = "211300405") -> dict[str, Any]:
    return {"id": identity, "stub": False, "title": title, "owner_siren": siren}


def of(identity: str, version: int = 1, **changes: str) -> Entry:
    return entry("public", identity, version, document(identity, **changes))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


def test_the_same_on_both_sides_differs_in_nothing(ledger: Ledger) -> None:
    ledger.from_log([of("a", 1), of("a", 4), of("b", 2, siren="200054807")])
    ledger.from_index([of("b", 2, siren="200054807"), of("a", 4)])
    assert list(ledger.differences()) == []
    assert [(one.institution, one.log_count, one.equal) for one in ledger.sums()] == [
        ("200054807", 1, True), ("211300405", 1, True),
    ]  # fmt: skip


def test_each_way_to_differ_has_its_name(ledger: Ledger) -> None:
    ledger.from_log([of("altered"), of("missing"), of("newer"), of("stale", 5), of("same")])
    ledger.from_index(
        [of("altered", title="Autre"), of("extra"), of("newer", 9), of("stale"), of("same")]
    )
    assert {one.id: one.what for one in ledger.differences()} == {
        "altered": What.ALTERED,
        "extra": What.EXTRA,
        "missing": What.MISSING,
        "newer": What.NEWER,
        "stale": What.STALE,
    }
    (total,) = ledger.sums()
    assert (total.log_count, total.index_count, total.equal) == (5, 5, False)


def test_an_older_message_takes_no_version_back(ledger: Ledger) -> None:
    ledger.from_log([of("a", 7), of("a", 3, title="Vieux")])
    ledger.from_index([of("a", 7)])
    assert list(ledger.differences()) == []
    ledger.gone("public", "a")
    assert [one.what for one in ledger.differences()] == [What.MISSING]


def test_the_order_of_keys_is_no_difference_and_stubs_are_nobodys() -> None:
    whole = document("a")
    assert entry("public", "a", 1, whole) == entry("public", "a", 1, dict(reversed(whole.items())))
    assert entry("public", "a", 1, {"id": "a", "stub": True}).institution == STUB
