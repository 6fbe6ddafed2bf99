"""Rows become a report: sent, delivered, refused with why, left out; nothing goes missing."""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from io import BytesIO
from typing import Any, BinaryIO

from tests.producers.memory_transport import MemoryTransport
from tests.stream_processors.factory import call_data, event
from traverse_producers.errors import BrokerAwayError, BrokerRefusedError, UnreadableInputError
from traverse_producers.files.importing import import_paths
from traverse_producers.files.publishing import publish_events, publish_rows
from traverse_producers.files.rows import LeftOut, Ready, Refused, Row
from traverse_producers.importers.contract import Dropped, ImportContext, Imported
from traverse_producers.sender import Sender
from traverse_producers.transports.contract import Delivery, Headers

CONTEXT = ImportContext("urn:siren:181300013:essai")


def ready(line: int, **changes: Any) -> Ready:
    return Ready("f.json", line, f"R-{line}", json.dumps(event(**changes)).encode())


def test_a_report_counts_every_row_once() -> None:
    """Two problems of one row are two lines and one refused row."""
    rows: list[Row] = [
        ready(1),
        Refused("f.json", 2, None, "", "Illisible."),
        ready(3, data=call_data(title=None, place=None)),
        LeftOut("f.json", 4, "R-4", "Répétition."),
        ready(5, data=call_data(description="x" * 600_000)),
    ]
    seen: list[None] = []
    report = publish_rows(rows, Sender(MemoryTransport()), lambda: seen.append(None))
    assert (report.sent, report.delivered, report.refused, report.left_out) == (1, 1, 3, 1)
    assert len(seen) == 5
    assert not report.ok
    assert [(problem.line, problem.pointer) for problem in report.problems] == [
        (2, ""),
        (3, "/data/title"),
        (3, "/data/place"),
        (5, ""),
    ]
    lines = list(report.lines())
    assert lines[0] == "f.json, ligne 2 : Illisible."
    assert lines[1].startswith("f.json, ligne 3 [R-3] (/data/title) : ")
    assert lines[-1] == (
        "1 événement(s) envoyé(s), dont 1 confirmé(s) ; 3 ligne(s) refusée(s) ; "
        "1 répétition(s) laissée(s) de côté."
    )
    assert json.loads(json.dumps(report.as_json()))["problems"][1]["pointer"] == "/data/title"


def test_a_file_cannot_give_orders_to_the_terminal() -> None:
    """References and cells are shown without their control characters, on one line."""
    problem = Refused("f.csv", 2, "R\x1b[2J", "", "«\u00a0a\nb » n'est pas un nombre.")
    line, _ = publish_rows([problem], Sender(MemoryTransport())).lines()
    assert line == "f.csv, ligne 2 [R\ufffd[2J] : «\u00a0a\ufffdb » n'est pas un nombre."


def test_a_repetition_alone_is_no_refusal() -> None:
    """The exit code tells of what is lost, and a repeated row loses nothing."""
    report = publish_rows([LeftOut("f", 1, None, "Répétition.")], Sender(MemoryTransport()))
    assert report.ok


def test_when_kafka_goes_away_reading_stops_and_the_report_says_so() -> None:
    """A file of a million rows is not read on for nothing."""
    read: list[int] = []

    def rows() -> Iterator[Ready]:
        for line in range(1, 1000):
            read.append(line)
            yield ready(line)

    transport = MemoryTransport(fail=BrokerAwayError("127.0.0.1:9092"))
    report = publish_rows(rows(), Sender(transport))
    assert read == [1]
    assert (report.sent, report.delivered, report.undelivered) == (1, 0, 1)
    assert report.interrupted is not None
    assert "traverse up" in report.interrupted
    assert not report.ok


def test_what_is_never_answered_is_told_within_the_time() -> None:
    """A broker that stays silent gives a report too."""
    report = publish_rows([ready(1)], Sender(MemoryTransport(answer=False), timeout=0.01))
    assert report.undelivered == 1
    assert report.interrupted is not None
    assert "1 événement" in report.interrupted


def test_an_event_that_the_broker_refuses_is_a_row_of_the_report() -> None:
    """The others go on."""

    class Choosy(MemoryTransport):
        def send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
            if b"R-2" in octets:
                refused: Future[Delivery] = Future()
                refused.set_exception(BrokerRefusedError("Kafka refuse."))
                return refused
            return super().send(key, octets, headers)

    rows = [ready(line, subject=f"R-{line}") for line in (1, 2, 3)]
    report = publish_rows(rows, Sender(Choosy()))
    assert (report.sent, report.delivered, report.interrupted) == (3, 2, None)
    assert [(problem.line, problem.sentence) for problem in report.problems] == [
        (2, "Kafka refuse.")
    ]


def test_events_as_dicts_are_published_by_their_places() -> None:
    """For programs that have no file."""
    transport = MemoryTransport()
    report = publish_events([event(), event(data={"title": object()})], Sender(transport))
    assert (report.sent, report.refused) == (1, 1)
    assert report.problems[0].line == 2


def test_imports_report_drops_repeats_and_files_that_cannot_be_read() -> None:
    """Every result of an importer is accounted for, and the next file is read."""
    names: list[str] = []

    def importer(
        stream: BinaryIO, name: str, context: ImportContext
    ) -> Iterable[Imported | Dropped]:
        names.append(name)
        yield Imported(1, event(source=context.source))
        yield Dropped(2, "R-2", "Sans objet.")
        yield Dropped(3, "R-3", "Répétition.", duplicate=True)

    @contextmanager
    def open_file(where: str) -> Iterator[BinaryIO]:
        if where == "absent":
            raise UnreadableInputError("Le fichier absent n'existe pas.")
        yield BytesIO(b"")

    transport = MemoryTransport()
    report = import_paths(
        importer,  # type: ignore[arg-type]
        ["dossier/a.json", "absent", "b.json"],
        open_file,
        CONTEXT,
        sender=Sender(transport),
    )
    assert (report.sent, report.refused, report.left_out) == (2, 3, 2)
    assert names == ["a.json", "b.json"], "events do not depend on the machine's folders"
    assert [problem.file for problem in report.problems] == ["dossier/a.json", "absent", "b.json"]
