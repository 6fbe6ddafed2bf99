"""Deliveries to real servers: a receiver that fails, hangs, redirects or leaves; a mail sink."""

import asyncio
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.full_disk import full_disk
from tests.search_api.accounts.people import MARSEILLE, NOW, PEOPLE, MovingClock
from tests.search_api.alerts.household import subscription, table_of
from tests.search_api.alerts.receiver import Receiver, receiving
from tests.search_api.pages.notes import TERRITORIES, found, need
from traverse_infra.engines.ports import free_ports
from traverse_search_api.accounts.account import Account, account_id
from traverse_search_api.alerts.deliver import Deliverer
from traverse_search_api.alerts.digest import Items, due
from traverse_search_api.alerts.errors import RefusedSubscriptionError
from traverse_search_api.alerts.ledger import (
    Alert,
    Batch,
    Ledger,
    LedgerTakenError,
    LedgerUnwritableError,
    alert_id,
)
from traverse_search_api.alerts.mail import Mailer
from traverse_search_api.alerts.notifier import disabler
from traverse_search_api.alerts.outside import Outside
from traverse_search_api.alerts.subscription import (
    AlertKind,
    Channel,
    Rhythm,
    Subscription,
    Webhook,
)
from traverse_search_api.alerts.webhook import greet
from traverse_search_api.alerts.weekly_note import Letter
from traverse_search_api.alerts.wish import signing_key
from traverse_search_api.pages.note.reading import Scope
from traverse_search_api.pages.note.view import note_view
from traverse_search_api.pages.note.week import Week

ITEM = {
    "id": "o1", "title": "Repas <b>de cantine</b>\nscolaire", "amount": 1000.0, "deadline": None,
    "institutions": [{"name": "Ville de Marseille", "role": "owner"}],
}  # fmt: skip


class Directory:
    """The accounts of the tests, without a table."""

    def get(self, identifier: str) -> Account | None:
        return next((one for one in PEOPLE if one.id == identifier), None)


@dataclass
class Sink:
    """Keeps the e-mails that it takes; refuses for good what goes to `refused`."""

    messages: list[Message]
    refused: str = ""
    port: int = 0

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.messages.append(message_from_bytes(envelope.original_content or b"", policy=default))
        return "250 OK"


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink([])
    controller = Controller(made, hostname="127.0.0.1", port=free_ports(1)[0])
    controller.start()
    made.port = controller.port
    yield made
    controller.stop()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@dataclass
class Post:
    """A deliverer that a test turns by hand."""

    deliverer: Deliverer
    ledger: Ledger
    clock: MovingClock
    table: Any

    def alert(self, row: Subscription, number: int = 1, kind: AlertKind = AlertKind.NEW) -> str:
        made = alert_id(row.id, f"o{number}", kind, "1")
        at = self.clock.at.timestamp()
        one = Alert(made, row.id, f"o{number}", kind, (), ("« cantine »",), at)
        self.ledger.write(Batch({}, {}, (), [one]))
        return made

    def turn(self, **by: float) -> None:
        """Let time go by, then deliver what is due."""
        self.clock.move(**by)

        async def whole() -> None:
            await self.deliverer.turn()
            await self.deliverer.settle()
            await self.deliverer.turn()

        asyncio.run(whole())


@contextmanager
def posting(path: Path, *rows: Subscription, port: int = 0) -> Iterator[Post]:
    ledger, clock, table = Ledger(path / "notify.sqlite"), MovingClock(), table_of(*rows)

    async def hydrate(row: Subscription, ids: Sequence[str]) -> Items:
        return {"o1": ITEM} if "o1" in ids else {}

    async def compose(row: Subscription, week: Week) -> Letter:
        scope = Scope(week, "com:13055", week.end)
        needs = found(need("a <b>", themes=["eau"]), need("b", window={"to": "2026-03-01"}))
        return Letter(note_view(needs, scope, TERRITORIES), week, "com:13055", "Marseille (13)")

    with table:
        table.wait(10)
        yield Post(
            Deliverer(
                ledger=ledger,
                rows=table.rows,
                may_read=lambda row: row.siren == MARSEILLE,
                directory=Directory(),  # type: ignore[arg-type]
                hydrate=hydrate,
                compose=compose,
                disable=disabler(table),
                mailer=Mailer("127.0.0.1" if port else "", port, "alertes@traverse.example"),
                outside=Outside(private=True, seconds=1),
                present=clock,
                address="https://traverse.example",
            ),
            ledger,
            clock,
            table,
        )
        ledger.close()


def hooked(receiver: Receiver, path: str, **fields: Any) -> Subscription:
    hook = Webhook(url=receiver.address + path)
    return subscription(channel=Channel.WEBHOOK, webhook=hook, **fields)


def test_a_webhook_is_a_signed_cloud_event_under_the_alert_s_id(
    receiver: Receiver, tmp_path: Path
) -> None:
    row = hooked(receiver, "/ok")
    with posting(tmp_path, row) as post:
        made = post.alert(row)
        post.turn()
    _, headers, body = receiver.got[-1]
    event = json.loads(body)
    assert (event["specversion"], event["id"], event["type"]) == (
        "1.0", made, "fr.traverse.alert.new.v1",
    )  # fmt: skip
    assert event["data"]["why"] == ["« cantine »"] and event["data"]["item"]["id"] == "o1"
    assert headers["content-type"] == "application/cloudevents+json"
    key = b64decode(signing_key(row).removeprefix("whsec_"))
    signed = f"{made}.{headers['webhook-timestamp']}.".encode() + body
    expected = b64encode(hmac.digest(key, signed, sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_on_a_full_disk_nothing_leaves_and_everything_leaves_once_when_there_is_room(
    receiver: Receiver, tmp_path: Path
) -> None:
    """What could not be noted as delivered would leave again at each turn."""
    row = hooked(receiver, "/ok")
    with posting(tmp_path, row) as post:
        made = post.alert(row)
        post.ledger.gather(row.id, post.clock.at.timestamp(), together=False)
        for _ in range(3):
            with full_disk(), pytest.raises(LedgerUnwritableError, match="libérez de la place"):
                post.turn(minutes=1)
            assert made not in receiver.ids("/ok")
        for _ in range(3):
            with suppress(LedgerUnwritableError):  # the first says how the last one ended
                post.turn(minutes=1)
        assert receiver.ids("/ok").count(made) == 1


def test_what_arrived_as_the_disk_was_filled_does_not_leave_again(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = hooked(receiver, "/ok")
    with posting(tmp_path, row) as post:
        made = post.alert(row)
        done = post.ledger.done

        def full(delivery: str) -> None:
            with full_disk():
                done(delivery)

        with monkeypatch.context() as filled:
            filled.setattr(post.ledger, "done", full)
            for _ in range(2):
                with pytest.raises(LedgerUnwritableError):
                    post.turn(minutes=1)
        for _ in range(2):
            with suppress(LedgerUnwritableError):
                post.turn(minutes=1)
        assert post.ledger.due(1e12, 10) == []
        assert receiver.ids("/ok").count(made) == 1


def test_nobody_is_written_to_who_has_not_said_yes(receiver: Receiver) -> None:
    outside = Outside(private=True, seconds=1)

    def meet(path: str) -> Webhook:
        return asyncio.run(greet(outside, receiver.address + path, "traverse.example"))

    assert meet("/ok").rate is None and receiver.asked[-1] == "traverse.example"
    with pytest.raises(RefusedSubscriptionError, match="WebHook-Allowed-Origin"):
        meet("/strange")
    with pytest.raises(RefusedSubscriptionError, match="joint"):
        asyncio.run(greet(outside, "http://127.0.0.1:1/", "traverse.example"))


def test_a_receiver_that_is_dead_slows_nobody_and_is_given_up_after_a_day(
    receiver: Receiver, tmp_path: Path, sink: Sink
) -> None:
    with receiving() as other:
        dead, fine = hooked(other, "/hangs"), hooked(receiver, "/ok", name="vive")
        with posting(tmp_path, dead, fine, port=sink.port) as post:
            lost, arrived = post.alert(dead), post.alert(fine)

            async def first() -> None:
                await post.deliverer.turn()
                while arrived not in receiver.ids("/ok"):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
                # The dead one has not even been given up on yet.
                assert any(not task.done() for task in post.deliverer._lanes.values())
                await post.deliverer.settle()

            asyncio.run(first())
            # Pauses grow: in a day it is tried some tens of times, each time with the same id.
            other.leave.set()  # from now on it breaks off at once
            for _ in range(60):
                post.turn(minutes=30)
            assert set(other.ids("/hangs")) == {lost}
            assert 5 <= len(other.ids("/hangs")) <= 30
            assert post.table.get(dead.id).disabled is not None
            assert "24 heures" in post.table.get(dead.id).disabled.sentence
            assert [one["Subject"] for one in sink.messages] == [
                "Traverse : envois arrêtés pour « cantines »"
            ]
            tried = len(other.ids("/hangs"))
            post.alert(dead, 2)
            post.turn(hours=1)
            assert len(other.ids("/hangs")) == tried
            assert post.table.get(fine.id).disabled is None


def test_410_means_stop_a_redirection_is_not_followed_and_what_failed_comes_again(
    receiver: Receiver, tmp_path: Path
) -> None:
    gone, moved, weak = (hooked(receiver, path) for path in ("/gone", "/redirects", "/fails"))
    with posting(tmp_path, gone, moved, weak) as post:
        for row in (gone, moved, weak):
            post.alert(row)
        before = len(receiver.ids("/ok"))
        post.turn()
        assert "410" in post.table.get(gone.id).disabled.sentence
        assert len(receiver.ids("/redirects")) == 1 and len(receiver.ids("/ok")) == before
        receiver.mended = True
        post.turn(hours=1)
        assert len(receiver.ids("/fails")) == 2 == len(receiver.ids("/fails"))
        assert len(set(receiver.ids("/fails"))) == 1
        post.turn(hours=1)
        assert len(receiver.ids("/fails")) == 2
        # On demand it is delivered once more, under the same id; once.
        row = post.table.get(weak.id)
        since = post.clock.at - timedelta(hours=24)
        post.table.put(row.id, row.model_copy(update={"redeliver_from": since}))
        post.turn()
        post.turn(hours=1)
        assert len(receiver.ids("/fails")) == 3 and len(set(receiver.ids("/fails"))) == 1


def test_an_email_gathers_what_came_and_ends_in_one_click(tmp_path: Path, sink: Sink) -> None:
    row = subscription(rhythm=Rhythm.DAILY, name="cantines")
    with posting(tmp_path, row, port=sink.port) as post:
        first = post.alert(row)
        post.clock.move(seconds=1)
        post.alert(row, 2, AlertKind.WITHDRAWN)
        post.turn()
        assert sink.messages == []  # half past seven of the next day, in Paris
        post.turn(hours=22)
        (message,) = sink.messages
        post.turn(hours=48)
        assert len(sink.messages) == 1
    assert message["To"] == "lea@marseille.example"
    assert message["Message-ID"] == f"<{first}@traverse.example>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    end = f"https://traverse.example/desabonnement/{row.id}/{row.token('unsubscribe')}"
    assert message["List-Unsubscribe"] == f"<{end}>"
    text = message.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    html = message.get_body(("html",)).get_content()  # type: ignore[attr-defined]
    assert "2 alertes" in message["Subject"] and "n’est plus lisible" in text
    assert "Pourquoi : « cantine »" in text and "<b>" not in html


def test_the_note_of_each_week_goes_once_on_the_monday_after(tmp_path: Path, sink: Sink) -> None:
    row, paused = subscription(note=True), subscription(note=True, muted=True)
    with posting(tmp_path, row, paused, port=sink.port) as post:
        post.turn()
        post.clock.at = datetime.fromisoformat("2026-03-16T06:29:00Z")
        post.turn()
        assert sink.messages == []  # half past seven of a Monday, in Paris
        post.turn(minutes=1)
        post.turn(hours=2)
        # Another process that takes up the same ledger knows what went.
        post.deliverer._editions.clear()
        post.turn(days=3)
        (message,) = sink.messages
        # Killed before it could note that the e-mail had gone, it sends the same one again.
        post.ledger._base.execute("UPDATE delivery SET state = 'waiting'")
        post.turn()
        again = sink.messages.pop()
        post.ledger.forget([row.id, paused.id], post.clock.at.timestamp())
        post.deliverer._editions.clear()
        post.turn()
        # After a silence of three weeks: the last one.
        post.turn(days=21)
        assert [one["Message-ID"][33:42] for one in sink.messages] == [".2026-W11", ".2026-W14"]
        post.ledger.forget([], 0)
        assert post.ledger.note(f"edition {row.id}") is None
    assert again["Message-ID"] == message["Message-ID"]
    assert message["To"] == "lea@marseille.example"
    assert message["Message-ID"] == f"<{row.id}.2026-W11@traverse.example>"
    assert "du 9 au 15 mars" in message["Subject"].replace("\u00a0", " ")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text = message.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
    html = message.get_body(("html",)).get_content()  # type: ignore[attr-defined]
    assert "Besoins en attente : 2" in text and "CE QUI FAIT MAL" in text
    assert "https://traverse.example/note?lieu=com%3A13055&semaine=2026-W11" in text
    assert "<b>" not in html and "Besoin a &lt;b&gt;" not in text
    assert 'href="https://traverse.example/?kind=need' in html


def test_who_is_refused_by_the_mail_server_is_written_to_no_more(
    tmp_path: Path, sink: Sink
) -> None:
    sink.refused = "lea@marseille.example"
    row = subscription(rhythm=Rhythm.AT_ONCE)
    with posting(tmp_path, row, port=sink.port) as post:
        post.alert(row)
        post.turn(seconds=6)
        assert "refuse cette adresse" in post.table.get(row.id).disabled.sentence


def test_a_mail_server_that_is_away_is_waited_for(tmp_path: Path, sink: Sink) -> None:
    row = subscription(rhythm=Rhythm.AT_ONCE)
    with posting(tmp_path, row, port=1) as post:
        made = post.alert(row)
        post.turn(seconds=6)
        post.deliverer.mailer = Mailer("127.0.0.1", sink.port, "a@traverse.example")
        post.turn(minutes=10)
    assert [one["Message-ID"] for one in sink.messages] == [f"<{made}@traverse.example>"]


def test_who_may_read_no_more_is_sent_nothing(receiver: Receiver, tmp_path: Path) -> None:
    row = hooked(receiver, "/ok", siren="181300013")
    with posting(tmp_path, row) as post:
        made = post.alert(row)
        post.turn()
    assert made not in receiver.ids("/ok")


@pytest.mark.parametrize(
    ("rhythm", "zone", "at", "expected"),
    [
        (Rhythm.DAILY, "Europe/Paris", "2026-03-12T05:00:00Z", "2026-03-12T06:30:00Z"),
        (Rhythm.DAILY, "Europe/Paris", "2026-03-12T06:30:00Z", "2026-03-13T06:30:00Z"),
        (Rhythm.DAILY, "Europe/Paris", "2026-03-28T12:00:00Z", "2026-03-29T05:30:00Z"),  # summer
        (Rhythm.DAILY, "Indian/Reunion", "2026-03-12T03:00:00Z", "2026-03-12T03:30:00Z"),
        (Rhythm.WEEKLY, "Europe/Paris", "2026-03-12T05:00:00Z", "2026-03-16T06:30:00Z"),
        (Rhythm.WEEKLY, "America/Martinique", "2026-03-16T11:30:00Z", "2026-03-23T11:30:00Z"),
        (Rhythm.AT_ONCE, "Europe/Paris", "2026-03-12T05:00:00Z", "2026-03-12T05:00:05Z"),
    ],
)
def test_an_email_goes_at_the_hour_of_its_reader(
    rhythm: Rhythm, zone: str, at: str, expected: str
) -> None:
    row = subscription(rhythm=rhythm, zone=zone)
    assert due(row, datetime.fromisoformat(at)) == datetime.fromisoformat(expected)


def test_a_ledger_has_one_master_and_forgets_what_is_over(tmp_path: Path) -> None:
    row, other = subscription(), subscription()
    with posting(tmp_path, row) as post:
        with pytest.raises(LedgerTakenError):
            Ledger(tmp_path / "notify.sqlite")
        post.alert(row)
        post.alert(row)  # said again, it is there once
        post.alert(other)
        assert dict(post.ledger.waiting()).keys() == {row.id, other.id}
        post.ledger.forget([row.id], 0)
        assert dict(post.ledger.waiting()).keys() == {row.id}
        # However old it is, what waits for its receiver is kept; what arrived is not.
        far = (NOW + timedelta(days=91)).timestamp()
        post.ledger.gather(row.id, 0, together=False)
        post.ledger.forget([row.id], far)
        (left,) = post.ledger.due(far, 10)
        assert post.ledger.alerts(left.id)
        post.ledger.done(left.id)
        post.ledger.forget([row.id], far)
        assert post.ledger.alerts(left.id) == []
    assert account_id(PEOPLE[0].email) == row.recipient and NOW.tzinfo is UTC
