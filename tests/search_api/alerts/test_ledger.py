"""The ledger once everything was read: what was not seen is forgotten."""

from pathlib import Path

from traverse_search_api.alerts.ledger import Batch, Ledger
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
