"""Takes events in: judges each, gives what may be said to the journal, tells what became of all.

The judging is pure and may run in a thread; only the journal waits.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import NamedTuple

import orjson

from traverse_producers.errors import PublishError
from traverse_producers.gateway.access import Caller
from traverse_producers.gateway.answers import Item, RefusalReason, Status
from traverse_producers.gateway.errors import GatewayKeyError, LogAwayError
from traverse_producers.gateway.http_binding import Piece
from traverse_producers.gateway.journal import Entry, Journal, Outcome
from traverse_producers.gateway.quotas import DayQuotas
from traverse_producers.gateway.recent import Recent
from traverse_producers.gateway.spool import SpooledJournal
from traverse_producers.gateway.vouching import Vouching
from traverse_schemas.clock import Clock
from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.events import CONTENT_TYPE
from traverse_schemas.judging.judge import Judged, check_object, check_size, judge, read_json
from traverse_schemas.judging.succession import Succession
from traverse_schemas.log.identity import content_hash, record_key
from traverse_schemas.reference.territories import Territories
from traverse_schemas.signing.signatures import SIGNATURE_HEADER

_HEADERS = (("content-type", CONTENT_TYPE.encode()),)
_SHOWN = 2000  # characters of a pointer or sentence: both may repeat a key of half a mebibyte
_CODES = {
    Reason.NOT_JSON: 400,
    Reason.TOO_LARGE: 413,
    RefusalReason.FORBIDDEN_SOURCE: 403,
    RefusalReason.UNAVAILABLE: 503,
    RefusalReason.GATEWAY_KEY: 503,
}  # every other reason: 422


class Sayable(NamedTuple):
    """An event that passed: where it stands in the request, what to write, how to know it, and what
    comes after its type."""

    place: int
    entry: Entry
    source: str
    id: str
    hash: bytes
    type: str
    succession: Succession | None


class _ForbiddenSourceError(Exception):
    """The event speaks for somebody else than the key."""


class Intake:
    """Takes in the events of one caller at a time."""

    def __init__(
        self,
        journal: Journal | SpooledJournal,
        vouching: Vouching,
        territories: Territories,
        clock: Clock,
        quotas: DayQuotas,
        *,
        patience: float,
    ) -> None:
        """`patience`, in seconds, bounds what one `write` may last."""
        self._journal = journal
        self._vouching = vouching
        self._territories = territories
        self._clock = clock
        self._recent = Recent()
        self._quotas = quotas
        self._patience = patience

    def judge(self, pieces: Sequence[Piece], caller: Caller) -> list[Item | Sayable]:
        """What may be said, and an answer for what may not, in the order of the request."""
        now = self._clock.now()
        return [self._judged(index, piece, caller, now) for index, piece in enumerate(pieces)]

    async def write(self, judged: Sequence[Item | Sayable], caller: Caller) -> list[Item]:
        """Write what may be said; the answers, in the order of the request. Raises
        QuotaSpentError, LogAwayError where a quota cannot be asked and no spool takes it on trust,
        and then writes nothing."""
        deadline = monotonic() + self._patience
        sayable = [each for each in judged if isinstance(each, Sayable)]
        if caller.per_day is None:
            outcomes = await self._journal.append([each.entry for each in sayable])
        else:
            outcomes = await self._within(caller.siren, caller.per_day, sayable, deadline)
        became = iter(outcomes)
        return [
            self._answer(each, next(became)) if isinstance(each, Sayable) else each
            for each in judged
        ]

    async def _within(
        self, siren: str, per_day: int, sayable: Sequence[Sayable], deadline: float
    ) -> list[Outcome]:
        """Write what the day's quota has room for: all or nothing."""
        entries = [each.entry for each in sayable]
        new = [one for one in sayable if not self._recent.holds(one.source, one.id, one.hash)]
        try:
            if not self._journal.connected:
                raise LogAwayError
            taken = await self._quotas.taken(siren, per_day, len(new), deadline - monotonic())
        except LogAwayError:
            if not isinstance(self._journal, SpooledJournal):
                raise
            # Repetitions count here: they would fill the disk as well.
            taken = self._quotas.take_on_trust(siren, per_day, len(sayable))
            outcomes = await self._journal.keep(entries)
        else:
            outcomes = await self._journal.append(entries, deadline)
        lost = sum(isinstance(each, PublishError) for each in outcomes)
        self._quotas.give_back(taken, min(lost, taken.events))
        return outcomes

    @staticmethod
    def endings(judged: Sequence[Item | Sayable]) -> list[Succession]:
        """What comes after the older versions among them."""
        sayable = (each for each in judged if isinstance(each, Sayable))
        return [each.succession for each in sayable if each.succession is not None]

    def _answer(self, said: Sayable, outcome: object) -> Item:
        # A duplicate was written all the same: the log knows whether the first one counted.
        failed = isinstance(outcome, PublishError)
        known = not failed and self._recent.add(said.source, said.id, said.hash)
        item = Item(
            index=said.place,
            status=Status.DUPLICATE if known else Status.ACCEPTED,
            code=202,
            source=said.source,
            id=said.id,
            warning=said.succession.warning(said.type) if said.succession else None,
        )
        return _not_accepted(item, RefusalReason.UNAVAILABLE, str(outcome)) if failed else item

    def _judged(self, index: int, piece: Piece, caller: Caller, now: datetime) -> Item | Sayable:
        raw: dict[str, object] = {}
        try:
            if piece.error is not None:
                raise piece.error
            check_size(piece.octets)
            read = read_json(piece.octets) if piece.raw is None else piece.raw
            raw = check_object(piece.octets, read)
            judged = self._checked(piece.octets, raw, caller, now)
            event = judged.event
            signature = self._vouching.signature(piece.octets, judged.source, piece.signature, now)
        except RejectedError as error:
            return _not_accepted(_item(index, raw), error.reason, error.sentence, error.pointer)
        except GatewayKeyError as error:
            return _not_accepted(_item(index, raw), RefusalReason.GATEWAY_KEY, str(error))
        except _ForbiddenSourceError:
            return _not_accepted(
                _item(index, raw),
                RefusalReason.FORBIDDEN_SOURCE,
                f"Cette clé d'API est celle de l'institution {caller.siren} : elle ne peut pas "
                "parler pour la source de cet événement.",
                "/source",
            )
        return Sayable(
            index,
            Entry(
                record_key(event.source, event.subject),
                piece.octets,
                (*_HEADERS, (SIGNATURE_HEADER, signature)) if signature else _HEADERS,
            ),
            event.source,
            event.id,
            content_hash(orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)),
            str(raw["type"]),
            judged.succession,
        )

    def _checked(
        self, octets: bytes, raw: dict[str, object], caller: Caller, now: datetime
    ) -> Judged:
        if "data_base64" in raw:
            raise RejectedError(
                Reason.INVALID_ENVELOPE,
                "/data_base64",
                "Nos événements portent du JSON : donnez le dossier dans data, et non des octets "
                "en base64.",
            )
        judged = judge(octets, raw, now, self._territories)
        if judged.source.siren != caller.siren:
            raise _ForbiddenSourceError
        return judged


def _item(index: int, raw: dict[str, object]) -> Item:
    return Item(
        index=index,
        status=Status.REFUSED,
        code=422,
        source=_text(raw, "source"),
        id=_text(raw, "id"),
    )


def _not_accepted(
    item: Item, reason: Reason | RefusalReason, sentence: str, pointer: str = ""
) -> Item:
    failed = reason in (RefusalReason.UNAVAILABLE, RefusalReason.GATEWAY_KEY)
    return replace(
        item,
        status=Status.FAILED if failed else Status.REFUSED,
        code=_CODES.get(reason, 422),
        reason=reason,
        pointer=pointer[:_SHOWN],
        detail=sentence[:_SHOWN],
    )


def _text(raw: dict[str, object], name: str) -> str | None:
    value = raw.get(name)
    return value[:300] if isinstance(value, str) else None
