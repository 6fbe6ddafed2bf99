"""A source that has gone silent is told to its people, once for each silence."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest

from tests.documents import document
from tests.engines import RunningEngines
from tests.search_api.accounts.people import CHAMBER, INSTITUTIONS, MARSEILLE, PEOPLE
from tests.search_api.alerts.changing import AS_OF, Changing, changing
from traverse_schemas.clock import clock_from
from traverse_search_api.accounts.directory import Directory
from traverse_search_api.alerts.ledger import Batch, Ledger
from traverse_search_api.alerts.mail import Mailer, MailError, RefusedMailError
from traverse_search_api.alerts.silence import SilenceTeller
from traverse_search_api.engines.elasticsearch_client import Indices, connect

pytestmark = pytest.mark.engines

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)


@dataclass
class Post:
    """A mail server that keeps what it takes, or says that it cannot."""

    messages: list[EmailMessage] = field(default_factory=list)
    trouble: Exception | None = None
    host: str = "mail.example"
    sender: str = "Traverse <alertes@traverse.example>"

    async def send(self, message: EmailMessage) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.messages.append(message)


class People:
    def members(self, siren: str) -> list[Any]:
        return [one for one in PEOPLE if one.role_for(siren)]


@pytest.fixture(scope="module")
def changes(engines: RunningEngines) -> Iterator[Changing]:
    with changing(engines) as made:
        yield made


def said(source: str, number: int, days_ago: float, visibility: str = "public") -> dict[str, Any]:
    at = (NOW - timedelta(days=days_ago)).isoformat().replace("+00:00", "Z")
    subject = f"{source}-{number}"
    one = {"source": source, "subject": subject, "updated_at": at}
    return document(subject, "Voirie", sources=[one], updated_at=at, visibility=visibility)


def test_a_silence_is_told_once_to_the_contact_or_to_who_administers(
    changes: Changing, tmp_path: Path
) -> None:
    town, tool, feed = (
        f"urn:siren:{MARSEILLE}:outil",
        f"urn:siren:{CHAMBER}:veille",
        f"urn:siren:{CHAMBER}:vivante",
    )
    stranger = "urn:siren:130002199:inconnue"
    # It speaks every ten days; others say daily more of the same things, and have stopped to.
    shared = f"urn:siren:{CHAMBER}:partagee"
    merged = [said(shared, n, 8 + 10 * n) for n in range(5)]
    for n, one in enumerate(merged):
        one["sources"] += [said(stranger, 10 * n + day, 9 + day)["sources"][0] for day in range(8)]
    changes.write(
        *merged,
        # Every ten days, in whatever index; nothing for forty.
        *(said(town, n, 40 + 10 * n, ("public", "buyers")[n % 2]) for n in range(5)),
        *(said(tool, n, 30 + n) for n in range(5)),
        *(said(feed, n, 3 + 10 * n) for n in range(5)),
        *(said(stranger, n, 30 + n) for n in range(5)),
    )
    rows = {one.siren: one for one in INSTITUTIONS}
    rows[MARSEILLE] = rows[MARSEILLE].model_copy(update={"contact": "marches@marseille.example"})
    client, post = connect(changes.address, 60), Post()
    ledger = Ledger(tmp_path / "notify.sqlite")
    clock = clock_from(AS_OF)
    teller = SilenceTeller(
        indices=Indices(client, client, changes.aliases, 50),
        ledger=ledger,
        members=lambda: rows,
        directory=cast(Directory, People()),
        mailer=cast(Mailer, post),
        clock=clock,
        address="https://traverse.example",
        present=clock,
    )

    async def journey() -> None:
        post.trouble = MailError("Le serveur de courriel ne répond pas.")
        assert await teller.turn() == 0
        post.trouble = None
        assert await teller.turn() == 2
        by_receiver = {one["To"]: one for one in post.messages}
        assert set(by_receiver) == {"marches@marseille.example", "omar@cci.example"}
        message = by_receiver["marches@marseille.example"]
        assert message["Subject"] == (
            "Traverse : la source « outil » de Ville de Marseille ne publie plus"
        )
        assert "tous les 10 jours" in message.get_content()
        assert "https://traverse.example/mon-institution" in message.get_content()
        assert await teller.turn() == 0
        # Killed before the ledger knew: sent again, and known by its id.
        ledger.write(Batch({f"silent {town}": ""}, {}, (), ()))
        assert await teller.turn() == 1
        assert post.messages[-1]["Message-ID"] == message["Message-ID"]
        # It spoke, and others after it; it is silent again: another silence. An address that is
        # refused is not tried for ever.
        again = said(town, 9, 31)
        again["sources"] += said(stranger, 99, 30.5)["sources"]
        changes.write(again)
        post.trouble = RefusedMailError("Le serveur de courriel refuse cette adresse.")
        assert await teller.turn() == 0
        post.trouble = None
        assert await teller.turn() == 0
        assert ledger.note(f"silent {town}") == again["updated_at"].replace("Z", "+00:00")
        await client.close()

    logging.getLogger("traverse_search_api.alerts.silence").setLevel(logging.CRITICAL)
    asyncio.run(journey())
    ledger.close()
