"""Polling a listing: only what changed, withdrawn only when surely gone, safe when killed."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from typer.testing import CliRunner

from tests.producers.memory_transport import MemoryTransport, opened_by_commands
from tests.producers.polling.listing_server import Server, serving
from traverse_producers.errors import BrokerAwayError, PositionError
from traverse_producers.files.input_streams import open_input
from traverse_producers.importers.contract import Dropped, ImportContext, Imported
from traverse_producers.importers.emit import make_event
from traverse_producers.importers.registry import IMPORTERS
from traverse_producers.polling.poll import Feed, Outcome, poll
from traverse_producers.polling.position import Position
from traverse_producers.sender import Sender
from traverse_schemas.events import Action
from traverse_schemas.log.identity import Version, utc_text
from traverse_schemas.records.codes import Kind

pytestmark = pytest.mark.long

CONTEXT = ImportContext("urn:siren:211300553:liste", as_of=datetime(2026, 1, 1, tzinfo=UTC))
NIGHT = datetime(2026, 4, 1, 3, tzinfo=UTC)
MANY = {f"R-{n:03}": f"Dossier {n}" for n in range(40)}


def import_list(
    stream: BinaryIO, name: str, context: ImportContext
) -> Iterator[Imported | Dropped]:
    """An importer of `{reference: title}`; a title that is empty is a wrong row."""
    try:
        rows: dict[str, str] = json.loads(stream.read())
    except ValueError:
        yield Dropped(1, name, "Illisible.", unread=True)
        return
    for line, (reference, title) in enumerate(rows.items(), start=1):
        if not title:
            yield Dropped(line, reference, "Sans titre.")
            continue
        assert context.as_of is not None
        data = {"subtype": "project", "title": title, "place": ["com:13055"]}
        event = make_event(
            context, Kind.PROJECT, Action.PUBLISHED,
            subject=reference.partition("#")[0], time=context.as_of, data=data,
        )  # fmt: skip
        yield Imported(line, event)


class Nights:
    """A listing that is polled night after night; what the log holds of all of them."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.path = folder / "position.sqlite"
        self.log: list[dict[str, Any]] = []
        self.now = NIGHT

    def run(
        self,
        rows: dict[str, str] | None = None,
        *,
        transport: MemoryTransport | None = None,
        complete: bool = True,
        confirm: bool = False,
        die_after: int | None = None,
    ) -> Outcome:
        """One night. `die_after` rows the program is killed."""
        if rows is not None:
            self.server.body = json.dumps(rows).encode()
        self.now += timedelta(days=1)
        transport = transport or MemoryTransport()
        left = [die_after]

        def progress() -> None:
            if left[0] is not None:
                left[0] -= 1
                if left[0] < 0:
                    raise KeyboardInterrupt

        feed = Feed("liste", import_list, self.server.address, CONTEXT)
        try:
            with Position(self.path) as position:
                return poll(
                    feed, position, Sender(transport), lambda: self.now, open_file=open_input,
                    complete=complete, ask=lambda *_: confirm, progress=progress,
                )  # fmt: skip
        finally:
            self.log += [json.loads(octets) for _, octets, _ in transport.sent]

    def view(self) -> dict[str, str]:
        """What is to be seen: the title of the last version of each record that is not withdrawn,
        by the order of versions (decision 4)."""
        return view_of(self.log)

    def last(self) -> list[tuple[str, str]]:
        """The last night's events: what happened, to which record."""
        night = self.now.isoformat()[:10]
        return [
            (event["type"].split(".")[3], event["subject"])
            for event in self.log
            if event["time"].startswith(night)
        ]


def view_of(events: Iterable[dict[str, Any]]) -> dict[str, str]:
    last: dict[str, tuple[Version, dict[str, Any]]] = {}
    for event in events:
        time = utc_text(datetime.fromisoformat(event["time"]))
        version = Version(event.get("sequence", 0), time, event["id"])
        if event["subject"] not in last or last[event["subject"]][0] < version:
            last[event["subject"]] = (version, event)
    return {
        subject: event["data"]["title"]
        for subject, (_, event) in last.items()
        if "withdrawn" not in event["type"]
    }


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as served:
        yield served


@pytest.fixture
def nights(server: Server, tmp_path: Path) -> Nights:
    return Nights(server, tmp_path)


def test_only_what_changed_is_published(nights: Nights) -> None:
    """New, changed and gone; then nothing when nothing changed."""
    assert nights.run(MANY).report.delivered == 40
    assert nights.run(MANY).report.sent == 0
    changed = {k: v for k, v in MANY.items() if k != "R-001"} | {"R-000": "Autre", "R-040": "Neuf"}
    outcome = nights.run(changed)
    assert sorted(nights.last()) == [("updated", "R-000"), ("withdrawn", "R-001")]
    assert outcome.report.sent == 3
    assert outcome.withdrawn == 1
    assert nights.view() == changed
    assert nights.run(changed).report.sent == 0


def test_a_change_and_back_is_two_changes(nights: Nights) -> None:
    """What a record said long before is no reason to leave it as it is."""
    for title in ("A", "B", "A", "A"):
        nights.run({"R": title})
        assert nights.view() == {"R": title}
    assert len(nights.log) == 3


def test_what_comes_back_is_published_again(nights: Nights) -> None:
    """Later than its withdrawal."""
    nights.run(MANY)
    without = {k: v for k, v in MANY.items() if k != "R-007"}
    nights.run(without)
    assert nights.view() == without
    nights.run(MANY)
    assert nights.last() == [("published", "R-007")]
    assert nights.view() == MANY
    assert nights.run(MANY).report.sent == 0


def test_two_rows_of_one_record_do_not_take_turns(nights: Nights) -> None:
    """A listing that says two things of one record says them once."""
    rows = {"R#1": "A", "R#2": "B"}
    nights.run(rows)
    for _ in range(3):
        assert nights.run(rows).report.sent == 0


def test_without_complete_nothing_is_withdrawn(nights: Nights) -> None:
    """A page of news is no listing."""
    nights.run(MANY, complete=False)
    nights.run({"R-000": "Dossier 0"}, complete=False)
    assert nights.view() == MANY


@pytest.mark.parametrize("how", ["plain", "compressed", "slow", "moved"])
def test_every_whole_answer_is_complete(how: str, nights: Nights) -> None:
    """With a length, compressed, in chunks octet by octet, elsewhere."""
    nights.server.how = how
    nights.run(MANY)
    without = {k: v for k, v in MANY.items() if k != "R-007"}
    assert nights.run(without).withdrawn == 1
    assert nights.view() == without


@pytest.mark.parametrize("how", ["truncated", "cut_chunks", "broken"])
def test_an_answer_that_is_not_whole_changes_nothing(how: str, nights: Nights) -> None:
    """Fewer octets than announced, a chunk that is missing, an error: told, and tried again."""
    nights.run(MANY)
    nights.server.how = how
    outcome = nights.run({"R-000": "Autre"})
    assert outcome.report.refused == 1
    assert outcome.report.sent == outcome.withdrawn == 0
    assert nights.view() == MANY


def test_an_answer_without_announced_end_withdraws_nothing(nights: Nights) -> None:
    """What it holds is published; what it lacks may just not have arrived."""
    nights.run(MANY)
    nights.server.how = "unannounced"
    without = {k: v for k, v in MANY.items() if k != "R-007"} | {"R-000": "Autre"}
    outcome = nights.run(without)
    assert outcome.kept is not None
    assert "pas arrivée entière" in outcome.kept
    assert nights.view() == MANY | {"R-000": "Autre"}


def test_a_listing_that_cannot_be_read_to_its_end_withdraws_nothing(nights: Nights) -> None:
    """The octets are all there, and they are no listing."""
    nights.run(MANY)
    nights.server.body = b'{"R-000": "Dos'
    outcome = nights.run(confirm=True)
    assert outcome.kept is not None
    assert nights.view() == MANY


def test_a_row_that_is_newly_wrong_is_not_gone(nights: Nights) -> None:
    """It is in the listing; the next night it is known to be wrong, and no more in the way."""
    nights.run(MANY)
    wrong = {k: v for k, v in MANY.items() if k != "R-008"} | {"autre": ""}
    outcome = nights.run(wrong)
    assert outcome.kept is not None
    assert "première fois" in outcome.kept
    assert "R-008" in nights.view()
    assert nights.run(wrong).withdrawn == 1


def test_more_than_five_percent_asks(nights: Nights) -> None:
    """New and changed records are published all the same; whoever confirms withdraws."""
    nights.run(MANY)
    few = dict(list(MANY.items())[:30]) | {"R-000": "Autre"}
    outcome = nights.run(few)
    assert outcome.asked
    assert outcome.kept is not None
    assert "10 dossiers sur 40" in outcome.kept
    assert nights.view() == MANY | {"R-000": "Autre"}
    assert nights.run(few, confirm=True).withdrawn == 10
    assert nights.view() == few


def test_an_empty_listing_asks(nights: Nights) -> None:
    """All of it at once is no small thing."""
    nights.run(MANY)
    assert nights.run({}).asked
    assert nights.view() == MANY


@pytest.mark.parametrize("how", ["validated", "dated"])
def test_what_did_not_change_is_not_even_sent(how: str, nights: Nights) -> None:
    """ETag, Last-Modified: 304, and nothing is read."""
    nights.server.how = how
    assert not nights.run(MANY).unchanged
    assert nights.run().unchanged
    assert nights.server.asked[-1].keys() & {"if-none-match", "if-modified-since"}


def test_validators_wait_for_what_is_not_done(nights: Nights) -> None:
    """Undelivered events, and withdrawals to confirm, are met again the next night."""
    nights.server.how = "validated"
    nights.run(MANY, transport=MemoryTransport(fail=BrokerAwayError("kafka")))
    assert not nights.run().unchanged
    nights.run(dict(list(MANY.items())[:20]))
    assert not nights.run(confirm=True).unchanged
    assert nights.run().unchanged


def test_a_first_complete_run_reads_what_another_left(nights: Nights) -> None:
    """Without --complete nothing was withdrawn: its validators are not for who asks for it."""
    nights.server.how = "validated"
    nights.run(MANY, complete=False)
    assert nights.run(complete=False).unchanged
    assert not nights.run(complete=True).unchanged


@pytest.mark.parametrize("die_after", [0, 1, 7, 20, 39, 40, 41])
def test_killed_anywhere_the_next_run_repeats_without_harm(die_after: int, nights: Nights) -> None:
    """What was confirmed and not yet remembered is said again, and the view is the same."""
    nights.run({k: v for k, v in MANY.items() if k > "R-019"} | {"R-020": "Ancien", "X": "Parti"})
    try:
        nights.run(MANY, die_after=die_after, confirm=True)
    except KeyboardInterrupt:
        nights.run(MANY, confirm=True)
    assert nights.view() == MANY
    assert nights.run(MANY).report.sent == 0


DYING = """
import os, sys
from datetime import datetime, UTC
from pathlib import Path
from tests.producers.memory_transport import MemoryTransport
from tests.producers.polling.test_poll import CONTEXT, import_list
from traverse_producers.files.input_streams import open_input
from traverse_producers.polling.poll import Feed, poll
from traverse_producers.polling.position import Position
from traverse_producers.sender import Sender

path, listing, log, left = *sys.argv[1:4], int(sys.argv[4])

class Transport(MemoryTransport):
    def send(self, key, octets, headers):
        with open(log, "ab") as file:
            file.write(octets + b"\\n")
        return super().send(key, octets, headers)

def progress():
    global left
    left -= 1
    if not left:
        os._exit(9)

feed = Feed("liste", import_list, listing, CONTEXT)
with Position(Path(path)) as position:
    poll(feed, position, Sender(Transport()), lambda: datetime.now(UTC), open_file=open_input,
         complete=True, ask=lambda *_: True, progress=progress)
"""


@pytest.mark.parametrize("die_after", [1, 41, 700])
def test_a_process_that_ends_without_a_word_leaves_a_position_that_holds(
    die_after: int, tmp_path: Path
) -> None:
    """No good-bye, nothing flushed, as with SIGKILL: the next process goes on from there."""
    rows = {f"R-{n:04}": f"Dossier {n}" for n in range(900)}
    listing, log = tmp_path / "liste.json", tmp_path / "log"

    def night(left: int) -> int:
        words = [str(tmp_path / "p.sqlite"), str(listing), str(log), str(left)]
        return subprocess.run([sys.executable, "-c", DYING, *words], check=False).returncode

    listing.write_text(json.dumps(rows))
    assert night(die_after) == 9
    first = len(log.read_bytes().splitlines())
    assert night(-1) == 0
    sent = [json.loads(line) for line in log.read_bytes().splitlines()]
    assert view_of(sent) == rows
    assert len({event["id"] for event in sent}) == 900, "what was said again has the same id"
    assert len(sent) < first + 900 if die_after > 600 else len(sent) <= first + 900
    assert night(-1) == 0
    assert len(log.read_bytes().splitlines()) == len(sent)


@pytest.mark.realdata
def test_a_real_listing_says_nothing_the_second_night(shared_data: Path, tmp_path: Path) -> None:
    """Whatever rows it repeats."""
    file = str(shared_data / "decp/data.gouv.fr_pes.json")
    feed = Feed("decp", IMPORTERS["decp"], file, ImportContext(CONTEXT.source))

    def night() -> Outcome:
        with Position(tmp_path / "p.sqlite") as position:
            return poll(
                feed, position, Sender(MemoryTransport()), lambda: NIGHT,
                open_file=open_input, complete=True,
            )  # fmt: skip

    assert night().report.sent == 1154
    second = night()
    assert second.report.sent == second.withdrawn == 0


def test_events_that_were_not_delivered_come_again(nights: Nights) -> None:
    """Kafka away: nothing is remembered; the same events, with the same ids."""
    away = MemoryTransport(fail=BrokerAwayError("kafka"))
    outcome = nights.run(MANY, transport=away)
    assert outcome.report.interrupted
    nights.run(MANY)
    ids = [event["id"] for event in nights.log]
    assert ids[0] in ids[1:]
    assert nights.view() == MANY


def test_one_run_at_a_time(tmp_path: Path) -> None:
    """A second one is told so at once."""
    path = tmp_path / "p.sqlite"
    with Position(path) as first:
        first.listing("a", "b", "c")
        with pytest.raises(PositionError, match="tenue par un autre import"):
            Position(path)


@pytest.mark.parametrize("content", [b"ceci n'est pas une base", b"SQLite format 3\0" + b"x" * 200])
def test_a_file_that_is_no_position_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    """And it is left as it was."""
    path = tmp_path / "p.sqlite"
    path.write_bytes(content)
    with pytest.raises(PositionError, match="n'est pas une position"):
        Position(path)
    assert path.read_bytes() == content


DECP = {
    "marches": [
        {
            "id": f"2019-{n}",
            "acheteur": {"id": "21130055300016", "nom": "Ville de Marseille"},
            "objet": f"Vélos {n}",
            "lieuExecution": {"code": "13055", "typeCode": "Code commune"},
            "dateNotification": "2019-03-01",
            "montant": 20000 + n,
            "titulaires": [{"id": "35600000000048", "denominationSociale": "X"}],
        }
        for n in range(10)
    ]
}


def test_the_command(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`traverse import decp URL --position FILE --complete`: code 3 when somebody must confirm."""
    import typer

    from traverse_producers import commands

    transport = opened_by_commands(monkeypatch)
    app = typer.Typer()
    app.command("import")(commands.import_)
    app.command("autre")(commands.publish)
    words = ["import", "decp", server.address, "--as", "211300553:decp",
             "--position", str(tmp_path / "p.sqlite"), "--complete"]  # fmt: skip
    server.how, server.body = "validated", json.dumps(DECP).encode()
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 0, first.output
    assert "10 événement(s) envoyé(s), dont 10 confirmé(s)" in first.output
    assert "inchangé depuis la dernière fois" in CliRunner().invoke(app, words).output
    server.body = json.dumps({"marches": DECP["marches"][:8]}).encode()
    asked = CliRunner().invoke(app, words)
    assert asked.exit_code == 3
    assert "relancez avec --yes" in asked.output
    done = CliRunner().invoke(app, [*words, "--yes"])
    assert done.exit_code == 0
    assert "2 dossier(s) retiré(s)" in done.output
    assert len(transport.sent) == 12
    alone = CliRunner().invoke(app, ["import", "decp", "x", "--as", "211300553:decp", "--complete"])
    assert "--position" in str(alone.exception)
