"""The ledger once everything was read, when what was not seen is forgotten; and on a full disk."""

from pathlib import Path

import pytest

from tests.full_disk import full_disk
from traverse_search_api.alerts.ledger import Batch, Ledger, LedgerUnwritableError
from traverse_search_api.alerts.verdict import Known

KNOWN = Known("id", "2026-03-01T08:00:00.000000Z", {}, False)


def test_what_was_not_seen_when_everything_was_read_is_forgotten(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "notify.sqlite")
    records = ("urn:siren:211300553 A", "urn:siren:211300553 B")
    told = [(record, "sub") for record in records]
    ledger.write(Batch({}, dict.fromkeys(records, KNOWN), told, ()))
    ledger.see(records[:1])
    ledger.see(records[:1])
    ledger.forget_unseen()
    assert set(ledger.known(records)) == {records[0]}
    assert ledger.told(records) == {"sub": {records[0]}}
    # Another time nothing of this one is remembered.
    ledger.forget_unseen()
    assert ledger.known(records) == {}
    ledger.close()


def test_on_a_full_disk_a_batch_is_not_done_at_all_and_is_done_later(tmp_path: Path) -> None:
    """Neither the position nor what it came to; and the same ledger goes on once there is room."""
    ledger = Ledger(tmp_path / "notify.sqlite")
    journal = (tmp_path / "notify.sqlite-wal").stat().st_size
    batch = Batch({"position": "7"}, {"urn:siren:211300553 A": KNOWN}, (), ())
    for _ in range(2):
        with full_disk(journal), pytest.raises(LedgerUnwritableError, match=r"plein.*libérez"):
            ledger.write(batch)
        assert ledger.note("position") is None
    ledger.write(batch)
    assert ledger.note("position") == "7"
    assert set(ledger.known(["urn:siren:211300553 A"])) == {"urn:siren:211300553 A"}
    ledger.close()


def test_a_ledger_that_cannot_be_made_says_so_and_is_made_later(tmp_path: Path) -> None:
    path = tmp_path / "state" / "notify.sqlite"
    with full_disk(), pytest.raises(LedgerUnwritableError, match="libérez de la place"):
        Ledger(path)
    (tmp_path / "file").touch()
    with pytest.raises(LedgerUnwritableError, match=r"existe déjà|tient lieu de dossier"):
        Ledger(tmp_path / "file" / "notify.sqlite")
    Ledger(path).close()
