"""Sources that have gone silent, told once to the people of their institution.

The indices say which sources say nothing any more, against their usual rhythm; the ledger whom that
was told of. A silence is known by the source and its last word: when it speaks again and falls
silent again, that is another one. Killed between the e-mail and the ledger, the notifier sends the
e-mail again, under the same Message-ID.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from traverse_schemas.clock import Clock, SystemClock
from traverse_schemas.documents.document import INDICES
from traverse_schemas.documents.status import french_day
from traverse_schemas.registry.institutions import Institution
from traverse_search_api.accounts.account import StaffRole
from traverse_search_api.accounts.directory import Directory
from traverse_search_api.alerts.envelope import envelope
from traverse_search_api.alerts.ledger import Batch, Ledger
from traverse_search_api.alerts.mail import Mailer, MailError, RefusedMailError
from traverse_search_api.engines.elasticsearch_client import Indices
from traverse_search_api.institutions.rhythm import (
    PATIENCE,
    days_of,
    is_silent,
    last_of,
    rhythm_aggregations,
    rhythm_from,
    rhythm_words,
    spoken,
    usual_gap,
)
from traverse_search_api.pages import words

_LOG = logging.getLogger(__name__)
_MOST_SOURCES: Final = 10_000
_AT_ONE_TIME: Final = 50  # sources whose days are counted in one question
_LAST_DOCUMENTS: Final = 1000
_MOST_PEOPLE: Final = 5  # of an institution without a contact
_ANY: Final[dict[str, Any]] = {"match_all": {}}


class Silence(NamedTuple):
    """A source that has gone silent: its last word, and its usual gap."""

    source: str
    last: datetime
    gap: timedelta

    @property
    def siren(self) -> str:
        """Whose source it is."""
        return self.source.split(":")[2]

    @property
    def system(self) -> str:
        """What the institution calls it; "" for what it publishes directly."""
        return ":".join(self.source.split(":")[3:])


@dataclass(slots=True)
class SilenceTeller:
    """`members` gives the registered institutions by SIREN. Silence is judged from `clock`, as the
    pages do; an e-mail is dated by `present`."""

    indices: Indices
    ledger: Ledger
    members: Callable[[], Mapping[str, Institution]]
    directory: Directory
    mailer: Mailer
    clock: Clock
    address: str
    present: Clock = field(default_factory=SystemClock)

    async def turn(self) -> int:
        """Tell what there is to tell; gives of how many sources that was. What cannot be sent now
        is sent the next time. Raises SearchUnavailableError."""
        if not self.mailer.host:
            return 0
        now, members = self.clock.now(), self.members()
        quiet = {
            source: last
            for source, last in (await self._last_words()).items()
            if now - last > PATIENCE
            and _may_be_told(members.get(source.split(":")[2]), self.present.now())
            and not self._knows(source, last)
        }
        told = 0
        names = sorted(quiet)
        for start in range(0, len(names), _AT_ONE_TIME):
            for source in await self._silent(names[start : start + _AT_ONE_TIME], now):
                silence = await self._exactly(source, now)
                if silence is not None and not self._knows(source, silence.last):
                    told += await self._tell(silence, members[silence.siren])
        return told

    def _knows(self, source: str, last: datetime) -> bool:
        """Whether the silence since then was told."""
        return self.ledger.note(_note(source)) == last.isoformat()

    async def _last_words(self) -> dict[str, datetime]:
        """When each source spoke last, in whatever index."""
        aggregation = {
            "terms": {"field": "sources.source", "size": _MOST_SOURCES},
            "aggs": {"last": {"max": {"field": "sources.updated_at"}}},
        }
        found: dict[str, datetime] = {}
        for name in INDICES:
            for bucket in await self._buckets(name, aggregation, _ANY):
                source, last = bucket["key"], last_of(bucket)
                found[source] = max(last, found.get(source, last))
        return found

    async def _silent(self, sources: list[str], now: datetime) -> list[str]:
        """Those of the sources that seem silent against their rhythm."""
        aggregation = {
            "terms": {"field": "sources.source", "include": sources, "size": len(sources)},
            "aggs": rhythm_aggregations(now),
        }
        only = {"terms": {"sources.source": sources}}
        days: dict[str, set[datetime]] = {}
        last: dict[str, datetime] = {}
        for name in INDICES:
            for bucket in await self._buckets(name, aggregation, only):
                source = bucket["key"]
                days.setdefault(source, set()).update(days_of(bucket))
                last[source] = max(last_of(bucket), last.get(source, last_of(bucket)))
        return [
            source
            for source in sorted(last)
            if is_silent(last[source], usual_gap(sorted(days[source])), now)
        ]

    async def _exactly(self, source: str, now: datetime) -> Silence | None:
        """The silence of a source, by its last documents themselves: what others say of the same
        things is none of its rhythm."""
        body = {
            "size": _LAST_DOCUMENTS,
            "track_total_hits": False,
            "query": {"term": {"sources.source": source}},
            "sort": [{"updated_at": "desc"}],
            "_source": ["sources"],
        }
        times: list[datetime] = []
        for name in INDICES:
            hits = (await self.indices.one(name).search(body)).get("hits", {}).get("hits", [])
            times += spoken((hit["_source"] for hit in hits), source)
        if not times:
            return None
        last, gap = rhythm_from(times, now)
        return Silence(source, last, gap) if gap is not None and is_silent(last, gap, now) else None

    async def _buckets(
        self, name: str, aggregation: dict[str, Any], query: dict[str, Any]
    ) -> list[dict[str, Any]]:
        body = {
            "size": 0,
            "track_total_hits": False,
            "query": query,
            "aggs": {"sources": aggregation},
        }
        answer = await self.indices.one(name).search(body)
        buckets: list[dict[str, Any]] = (
            answer.get("aggregations", {}).get("sources", {}).get("buckets", [])
        )
        return buckets

    async def _tell(self, silence: Silence, institution: Institution) -> bool:
        """Whether it was told, to somebody at least; then the ledger knows."""
        people = addresses(institution, self.directory, self.present.now())
        arrived = False
        # Before anything leaves: what could not be noted afterwards would leave again and again.
        telling = f"telling {silence.source}"
        self.ledger.write(Batch({telling: silence.last.isoformat()}, {}, (), ()))
        for to in people:
            try:
                message = email(
                    silence, institution, to=to, sender=self.mailer.sender, address=self.address,
                    now=self.present.now(),
                )  # fmt: skip
                await self.mailer.send(message)
                arrived = True
            except (RefusedMailError, ValueError) as error:
                # No such address: the next one is told; this one never can be.
                _LOG.warning("silence_refused source=%s cause=%s", silence.source, error)
            except MailError as error:
                _LOG.warning("silence_waits source=%s cause=%s", silence.source, error)
                return False
        if people:
            told = {_note(silence.source): silence.last.isoformat()}
            self.ledger.write(Batch(told, {}, (), (), unnoted=[telling]))
        return arrived


def addresses(institution: Institution, directory: Directory, now: datetime) -> list[str]:
    """Whom to tell: the contact that the institution published on purpose, where that is an
    e-mail address, else the people who administer it here."""
    contact = (institution.contact or "").strip()
    if "@" in contact and not any(char.isspace() for char in contact):
        return [contact]
    found: Iterable[str] = (
        one.email
        for one in directory.members(institution.siren)
        if one.active(now) and one.role_for(institution.siren) is StaffRole.ADMINISTRATOR
    )
    return list(found)[:_MOST_PEOPLE]


def email(
    silence: Silence,
    institution: Institution,
    *,
    to: str,
    sender: str,
    address: str,
    now: datetime,
) -> EmailMessage:
    """The message. Its Message-ID is that of the silence and of who is told: the same however
    often it is sent. Raises ValueError for an address that is none."""
    whose = institution.name[:120]
    text = f"{silence.source} {silence.last.isoformat()} {to}"
    name = blake2b(text.encode(), digest_size=16).hexdigest()
    subject = (
        f"la source « {silence.system[:60]} » de {whose} ne publie plus"
        if silence.system
        else f"{whose} ne publie plus"
    )
    message = envelope(to=to, sender=sender, subject=subject, name=name, now=now)
    message.set_content(
        f"Source : {silence.source}\n"
        f"Dernière publication : {words.day(french_day(silence.last))}\n"
        f"Rythme habituel : {rhythm_words(silence.gap)}\n\n"
        "Si c’est voulu, il n’y a rien à faire. Sinon, vérifiez l’outil qui publie, sa clé d’API "
        f"et ce qui a été refusé : {address}/mon-institution\n\n"
        "Ce message ne part qu’une fois par silence.\n"
    )
    return message


def _may_be_told(institution: Institution | None, now: datetime) -> bool:
    return institution is not None and institution.active(now) and not institution.tries(now)


def _note(source: str) -> str:
    return f"silent {source}"
