"""Polls a listing: publishes what is new or changed, withdraws what disappeared, then remembers.

Killed anywhere, the next run finds the position as far as it was confirmed, and repeats the rest.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from queue import SimpleQueue

from traverse_producers.errors import UnreadableInputError
from traverse_producers.files.input_streams import is_address
from traverse_producers.files.publishing import Progress, publish_rows, ready
from traverse_producers.files.read import Open
from traverse_producers.files.report import Report
from traverse_producers.files.rows import LeftOut, Ready, Refused, Row
from traverse_producers.importers.contract import Dropped, ImportContext, Importer
from traverse_producers.importers.emit import short_hash
from traverse_producers.importers.errors import UnreadableFileError
from traverse_producers.polling.changes import Moments, News, news_of, seen_in, withdrawal_of
from traverse_producers.polling.download import Download, download
from traverse_producers.polling.position import Listing, Position, Seen, Told, Validators
from traverse_producers.sender import Sender

MOST = 0.05
"""The part of a listing that may disappear in one run without somebody being asked."""

_TOGETHER = 500  # rows remembered in one transaction
Ask = Callable[[int, int], bool]


@dataclass(slots=True)
class Feed:
    """A listing to poll: its format's name and importer, its address, who relays it."""

    format: str
    importer: Importer
    address: str
    context: ImportContext


@dataclass(slots=True)
class Outcome:
    """What a run did. `kept` says why what disappeared was not withdrawn; `asked` that somebody
    has to confirm it."""

    report: Report
    unchanged: bool = False
    withdrawn: int = 0
    kept: str | None = None
    asked: bool = False


def poll(
    feed: Feed,
    position: Position,
    sender: Sender,
    now: Callable[[], datetime],
    *,
    open_file: Open,
    complete: bool = False,
    ask: Ask = lambda _missing, _active: False,
    progress: Progress = lambda: None,
) -> Outcome:
    """One run. `complete` says that the listing holds all its records, so that what is missing is
    gone; `ask` (missing, active) decides when more than 5 % would be withdrawn."""
    listing = position.listing(feed.format, feed.context.source, feed.address)
    try:
        with _opened(feed.address, listing.validators(complete=complete), open_file) as found:
            if found is None:
                return Outcome(Report(), unchanged=True)
            run = _Run(feed, listing, sender, Moments(now()), progress)
            outcome = Outcome(run.publish(found))
    except UnreadableInputError as error:
        report = Report()
        report.refuse(Refused(feed.address, 1, None, "", str(error)))
        return Outcome(report)
    if complete:
        run.withdraw(outcome, whole=found.whole, ask=ask)
    listing.forget_refused()
    if run.is_done(outcome.report) and outcome.kept is None:
        listing.save_validators(found.validators, complete=complete)
    return outcome


def _opened(
    address: str, known: Validators, open_file: Open
) -> AbstractContextManager[Download | None]:
    if is_address(address):
        return download(address, known)
    return _File(address, open_file)


class _File(AbstractContextManager[Download | None]):
    """A file as a download: its end is the listing's end, unless reading it says otherwise."""

    def __init__(self, path: str, open_file: Open) -> None:
        self._inner = open_file(path)

    def __enter__(self) -> Download:
        return Download(self._inner.__enter__(), Validators(), whole=True)

    def __exit__(self, *details: object) -> bool | None:
        return self._inner.__exit__(*details)  # type: ignore[arg-type]


class _Run:
    """One run over a listing."""

    def __init__(
        self,
        feed: Feed,
        listing: Listing,
        sender: Sender,
        moments: Moments,
        progress: Progress,
    ) -> None:
        self._feed, self._listing, self._sender = feed, listing, sender
        self._moments, self._progress = moments, progress
        self._confirmed: SimpleQueue[bytes] = SimpleQueue()
        self._under_way: dict[bytes, Told] = {}
        self._seen: deque[Seen] = deque()
        self._unread = False
        self._new_refusals = 0
        self._refusals = 0

    def is_done(self, report: Report) -> bool:
        """Whether reading the same answer again would give nothing more."""
        told = report.interrupted is None and not report.undelivered
        return told and not self._unread and report.refused == self._refusals

    def publish(self, found: Download) -> Report:
        return self._send(self._rows(found))

    def withdraw(self, outcome: Outcome, *, whole: bool, ask: Ask) -> None:
        """Withdraw what this run did not see, if the listing can be trusted to be complete."""
        missing, active = self._listing.missing(), self._listing.active()
        if not missing:
            return
        outcome.kept = self._distrust(outcome.report, whole)
        if outcome.kept is not None:
            return
        if missing > active * MOST and not ask(missing, active):
            outcome.asked = True
            outcome.kept = (
                f"{missing} dossiers sur {active} ont disparu de la liste, plus de 5 % : rien "
                "n'est retiré. Vérifiez la liste, puis relancez avec --yes pour les retirer."
            )
            return
        report = self._send(self._withdrawals())
        outcome.withdrawn = report.delivered
        outcome.report.add(report)

    def _distrust(self, report: Report, whole: bool) -> str | None:
        """Why what is missing may not be gone, or None."""
        if report.interrupted:
            return "L'envoi a été interrompu : rien n'est retiré cette fois."
        if self._unread or not whole:
            return (
                "La liste n'est pas arrivée entière, ou rien ne dit où elle finit : rien n'est "
                "retiré cette fois."
            )
        if self._new_refusals:
            return (
                f"{self._new_refusals} ligne(s) sont refusées pour la première fois, et pourraient "
                "être des dossiers qui semblent avoir disparu : rien n'est retiré cette fois."
            )
        return None

    def _rows(self, found: Download) -> Iterator[Row]:
        feed = self._feed
        name = PurePath(feed.address).name
        try:
            for result in feed.importer(found.stream, name, feed.context):
                self._remember()
                if isinstance(result, Dropped):
                    yield self._dropped(result)
                    continue
                seen = seen_in(result.event, feed.context)
                self._seen.append(seen)
                news = news_of(result.event, self._listing, feed.context, self._moments)
                if news is None:
                    yield LeftOut(feed.address, result.line, seen.subject, "Inchangé.")
                else:
                    yield self._ready(result.line, news)
        except (UnreadableInputError, UnreadableFileError) as error:
            self._unread = True
            yield Refused(feed.address, 1, None, "", str(error))

    def _withdrawals(self) -> Iterator[Row]:
        for subject, known in self._listing.missing_records():
            self._remember()
            news = withdrawal_of(subject, known, self._feed.context, self._moments)
            yield self._ready(subject, news)

    def _ready(self, line: int | str, news: News) -> Row:
        row = ready(self._feed.address, line, news.event)
        if isinstance(row, Ready):
            self._under_way[row.octets] = news.told
        return row

    def _dropped(self, dropped: Dropped) -> Row:
        where = (self._feed.address, dropped.line, dropped.reference)
        if dropped.duplicate:
            return LeftOut(*where, dropped.sentence)
        if dropped.unread:
            self._unread = True
        else:
            self._refusals += 1
            if self._listing.refuse(short_hash([dropped.reference, dropped.sentence], 16)):
                self._new_refusals += 1
        return Refused(*where, "", dropped.sentence)

    def _send(self, rows: Iterator[Row]) -> Report:
        report = publish_rows(rows, self._sender, self._progress, self._confirm)
        self._remember(all_of_it=True)
        self._under_way.clear()
        return report

    def _confirm(self, row: Ready) -> None:
        self._confirmed.put(row.octets)  # from the transport's thread

    def _remember(self, *, all_of_it: bool = False) -> None:
        """Write what is confirmed and seen, some hundred at a time."""
        if all_of_it or self._confirmed.qsize() >= _TOGETHER:
            told = []
            while not self._confirmed.empty():
                told.append(self._under_way.pop(self._confirmed.get()))
            self._listing.tell(told)
        if all_of_it or len(self._seen) >= _TOGETHER:
            self._listing.see(self._seen)
            self._seen.clear()
