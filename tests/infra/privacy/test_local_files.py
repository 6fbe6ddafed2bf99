"""The files of ours on a machine: known by their form, searched, and cleared of what is erased."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.producers.gateway.serving import memory_journal, nowhere, serving
from tests.stream_processors.factory import CCI, call_data, event, octets
from traverse_infra.check.erased import Erased
from traverse_infra.privacy.find import Term, in_file
from traverse_infra.privacy.local_files import (
    LocalFile,
    UnreadableFileError,
    erase,
    file_of,
    files_under,
    left,
)
from traverse_producers.errors import OutboxError
from traverse_producers.files.sent_list import HEADER
from traverse_producers.gateway.spool import SpooledJournal
from traverse_producers.outbox.durable_queue import DurableQueue, Limits, Message
from traverse_producers.polling.position import Position, Told
from traverse_schemas.log.identity import record_key
from traverse_search_api.alerts.ledger import Batch, Ledger
from traverse_search_api.alerts.verdict import Known

UNTIL = "2026-11-20T12:00:00Z"
PERSON = call_data(title="Voirie, voir Bérénice Témoin")


def queued(path: Path, *events: dict[str, object]) -> None:
    path.parent.mkdir(exist_ok=True)
    with DurableQueue(path) as queue:
        queue.put(
            [
                Message(record_key(str(each["source"]), str(each["subject"])), octets(each))
                for each in events
            ]
        )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home folder with one file of each kind, and others."""
    queued(
        tmp_path / "envoi" / "outbox",
        event(data=PERSON),
        event(id="later", data=PERSON, time="2026-11-20T13:00:00Z"),
        event(id="gone", action="withdrawn", data={"reason": "error"}),
        event(id="other", subject="AUTRE", data=PERSON),
    )
    with Position(tmp_path / "nuit") as position:
        listing = position.listing("ocds", CCI, "https://exemple.fr/liste")
        listing.tell([Told("contrat-Témoin", "", "abc", "call", 0)])
    with (tmp_path / "envois.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(HEADER)
        writer.writerow(["besoins.xlsx", 2, "TÉMOIN-1", CCI, "e-1"])
    (tmp_path / "autre.sqlite").write_bytes(b"SQLite format 3\x00" + b"\x00" * 100)
    (tmp_path / "autre.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    yield tmp_path


def named(files: Iterator[LocalFile]) -> dict[str, LocalFile]:
    return {file.what: file for file in files}


def test_each_kind_is_known_by_its_form_and_searched(home: Path) -> None:
    files = named(files_under(home))
    assert sorted(files) == ["file d'envoi", "liste d'envois", "position d'import"]
    term = Term("temoin")
    held = {
        what: [(one.where, one.source, one.subject) for one in in_file(file, term)]
        for what, file in files.items()
    }
    assert held == {
        "file d'envoi": [
            ("messages 1", CCI, "VOIRIE-2026"),
            ("messages 2", CCI, "VOIRIE-2026"),
            ("messages 4", CCI, "AUTRE"),
        ],
        "position d'import": [("dossier contrat-Témoin", CCI, "contrat-Témoin")],
        "liste d'envois": [("ligne 2", CCI, "TÉMOIN-1")],
    }
    assert file_of(home / "nuit").what == "position d'import"
    for name in ("autre.csv", "nulle-part"):
        with pytest.raises(UnreadableFileError, match=name):
            file_of(home / name)


def test_an_erasure_takes_what_waits_of_its_record_up_to_its_time(home: Path) -> None:
    """Not what was said since, not a withdrawal, not another record; twice is once."""
    files = list(files_under(home))
    erased = [Erased(CCI, "VOIRIE-2026", UNTIL)]
    assert len(list(left(files, erased))) == 1
    assert erase(files, CCI, "VOIRIE-2026", UNTIL) == 1
    assert list(left(files, erased)) == []
    assert erase(files, CCI, "VOIRIE-2026", UNTIL) == 0
    path = home / "envoi" / "outbox"
    with DurableQueue(path) as queue:
        left_over = [one.message.octets for one in queue.after(0, most=10, octets=10**6)]
        assert queue.counts().waiting == 3
    for word, stays in zip((b"later", b"gone", b"AUTRE"), left_over, strict=True):
        assert word in stays
    on_disk = b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert b"e-1" not in on_disk, "what was taken stays readable on the disk"


def test_what_was_put_aside_is_taken_too(tmp_path: Path) -> None:
    queued(tmp_path / "outbox", event(data=PERSON))
    with DurableQueue(tmp_path / "outbox") as queue:
        (one,) = queue.after(0, most=1, octets=10**6)
        queue.settle([], [(one, "Refusé.")])
    assert erase(files_under(tmp_path), CCI, "VOIRIE-2026", UNTIL) == 1


def test_what_the_ledger_of_alerts_knows_of_an_erased_record_is_found(tmp_path: Path) -> None:
    """Also that somebody was told of it; not what came after, where it is published again."""
    key, later = record_key(CCI, "VOIRIE-2026"), "2026-11-20T13:00:00.000000Z"
    erased = Erased(CCI, "VOIRIE-2026", "2026-11-20T12:00:00.000000Z")
    path = tmp_path / "notify.sqlite"
    ledger = Ledger(path)

    def found(one: Erased) -> list[str]:
        return [where.rpartition(", ")[2] for where in left(files_under(tmp_path), [one])]

    before = Known("id", "2026-11-20T11:00:00.000000Z", {}, False)
    ledger.write(Batch({}, {key: before}, [(key, "sub")], ()))
    assert found(erased) == ["dossier vu VOIRIE-2026"]
    ledger.write(Batch({}, {key: before._replace(updated_at=later)}, (), ()))
    assert found(replace(erased, back=True)) == []
    ledger.write(Batch({f"left {key}": "0"}, {}, (), (), [key]))
    assert found(erased) == ["dossier annoncé VOIRIE-2026"]
    ledger.write(Batch({}, {}, (), (), unnoted=[f"left {key}"]))
    assert found(erased) == []
    ledger.close()
    assert b"VOIRIE-2026" not in path.read_bytes()


def test_a_position_that_an_import_holds_is_said_to_be(home: Path) -> None:
    with Position(home / "nuit") as position:
        position.listing("ocds", CCI, "https://exemple.fr/liste")
        with pytest.raises(OutboxError, match="l'import qui le tient"):
            list(files_under(home))


def test_the_spool_of_a_gateway_is_one_of_them_and_its_other_files_hold_no_word(
    tmp_path: Path,
) -> None:
    spool = SpooledJournal(
        memory_journal(nowhere, 0.05),
        tmp_path / "gateway" / "spool.sqlite3",
        nowhere,
        Limits(octets=10**6),
    )
    with serving(journal=spool, home=tmp_path) as gateway:
        assert gateway.client.put("/v1/records/call/TEMOIN-2", json=PERSON).status_code == 202
    (file,) = files_under(tmp_path / "gateway")
    (found,) = in_file(file, Term("bérénice"))
    assert (found.source, found.subject) == (CCI, "TEMOIN-2")
    others = [each for each in (tmp_path / "gateway").iterdir() if "spool" not in each.name]
    assert len(others) >= 2
    assert not any(b"TEMOIN-2" in each.read_bytes() for each in others)
