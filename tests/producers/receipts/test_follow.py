"""What the local store keeps of the log, and that reading twice is reading once."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from traverse_producers.errors import UnreadableInputError
from traverse_producers.receipts.follow import save
from traverse_producers.receipts.store import ReceiptStore
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.receipts import EVENT_HEADER, SIREN_HEADER, End, receipt_key
from traverse_schemas.log.topics import RECEIPTS, REJECTED

SOURCE = "urn:siren:211300405"
NOW = 1795510800000


def receipt(end: End, offset: int, event_id: str = "e-1", **more: object) -> LogMessage:
    value = {"source": SOURCE, "id": event_id, "end": end, **more}
    key = receipt_key(SOURCE, event_id)
    return LogMessage(RECEIPTS, 1, offset, NOW + offset, key, orjson.dumps(value), {})


def rejected(
    offset: int, siren: bytes | None = b"211300405", reason: bytes = b"invalid_data"
) -> LogMessage:
    headers = {
        "reason": reason, "pointer": b"/data", "sentence": b"Non.",
        "origin": b"traverse.inbound/1@%d" % offset, EVENT_HEADER: receipt_key(SOURCE, "e-9"),
    }  # fmt: skip
    if siren is not None:
        headers[SIREN_HEADER] = siren
    return LogMessage(REJECTED, 1, offset, NOW + offset, b"", b"{}", headers)


@pytest.fixture
def store(tmp_path: Path) -> ReceiptStore:
    return ReceiptStore(tmp_path / "state" / "receipts.sqlite")


def test_reading_a_chunk_again_changes_nothing(store: ReceiptStore) -> None:
    chunk = [
        receipt(End.SEARCHABLE, 1, opportunity="abc"),
        receipt(End.DUPLICATE, 2, origin="1@7"),
        receipt(End.SEARCHABLE, 3, opportunity="abc"),
    ]
    save(store, chunk)
    once = store.said_of(SOURCE, "e-1")
    save(store, chunk)
    assert store.said_of(SOURCE, "e-1") == once
    assert {(one.end, one.at) for one in once} == {
        (End.SEARCHABLE, NOW + 1), (End.DUPLICATE, NOW + 2),
    }  # fmt: skip
    assert store.progress() == {RECEIPTS: {1: 4}}


def test_a_rejection_is_listed_for_its_verified_author_alone(store: ReceiptStore) -> None:
    save(
        store, [rejected(1), rejected(2, siren=None), rejected(3, siren=b"200054807"), rejected(4)]
    )
    own = store.rejections("211300405", before=None, most=10)
    assert [row.place for row in own] == ["traverse.inbound/1@4", "traverse.inbound/1@1"]
    assert store.rejections("211300405", before=(own[0].at, own[0].place), most=10) == own[1:]
    assert store.rejection("traverse.inbound/1@2") is None
    # Whoever asks for the very event learns that one was refused under its name.
    assert [one.fields["verified"] for one in store.said_of(SOURCE, "e-9")].count(False) == 2


def test_what_failed_by_our_own_fault_counts_against_nobody(store: ReceiptStore) -> None:
    ours = [
        rejected(n, reason=reason) for n, reason in enumerate((b"internal", b"document_refused"))
    ]
    save(store, [*ours, rejected(7)])
    assert store.failing("211300405", 20) == 1


def test_what_is_older_than_the_topic_keeps_is_dropped(store: ReceiptStore) -> None:
    save(store, [receipt(End.SEARCHABLE, 1)])
    store.prune(datetime(2026, 12, 1, tzinfo=UTC))
    assert store.said_of(SOURCE, "e-1")
    store.prune(datetime(2027, 6, 1, tzinfo=UTC))
    assert store.said_of(SOURCE, "e-1") == []


def test_a_spoilt_file_is_made_anew_and_an_unusable_folder_said(tmp_path: Path) -> None:
    path = tmp_path / "receipts.sqlite"
    path.write_bytes(b"ceci n'est pas une base" * 100)
    ReceiptStore(path).close()
    assert sqlite3.connect(path).execute("SELECT count(*) FROM receipts").fetchone() == (0,)
    with pytest.raises(UnreadableInputError, match="TRAVERSE_HOME"):
        ReceiptStore(path / "sous" / "receipts.sqlite")
