"""The ledger of the notifier: what it has seen, whom it told of what, and what is to be delivered.

One SQLite file of one process. A batch of changes is one transaction with the position that follows
it: killed anywhere, the notifier goes on as if that batch had been wholly done, or not at all. Of
publications it keeps the keys of their records and digests, no content; of people, nothing.
"""

import fcntl
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple

from traverse_schemas.errors import TraverseError
from traverse_schemas.system_faults import fault
from traverse_search_api.alerts.subscription import AlertKind
from traverse_search_api.alerts.verdict import Known

KEPT_DAYS: Final = 90
"""For so long an alert can be delivered again."""

_MANY: Final = 500
_URN: Final = "urn:siren:"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS record (
    record TEXT PRIMARY KEY, opportunity TEXT NOT NULL, updated_at TEXT NOT NULL,
    digests TEXT NOT NULL, closed INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_opportunity ON record (opportunity);
CREATE TABLE IF NOT EXISTS told (
    record TEXT NOT NULL, subscription TEXT NOT NULL,
    PRIMARY KEY (record, subscription)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS told_subscription ON told (subscription);
CREATE TABLE IF NOT EXISTS proposed (
    opportunity TEXT NOT NULL, proposal TEXT NOT NULL, subscription TEXT NOT NULL,
    PRIMARY KEY (opportunity, proposal, subscription)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alert (
    id TEXT PRIMARY KEY, subscription TEXT NOT NULL, opportunity TEXT NOT NULL, kind TEXT NOT NULL,
    changed TEXT NOT NULL, why TEXT NOT NULL, at REAL NOT NULL, delivery TEXT);
CREATE INDEX IF NOT EXISTS alert_waiting ON alert (subscription, at) WHERE delivery IS NULL;
CREATE INDEX IF NOT EXISTS alert_subscription ON alert (subscription, at);
CREATE INDEX IF NOT EXISTS alert_delivery ON alert (delivery);
CREATE TABLE IF NOT EXISTS delivery (
    id TEXT PRIMARY KEY, subscription TEXT NOT NULL, state TEXT NOT NULL, due REAL NOT NULL,
    first REAL, failures INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS delivery_subscription ON delivery (subscription);
"""


class LedgerTakenError(TraverseError):
    """Another notifier works with this ledger."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"Un autre « traverse work --step notify » travaille déjà avec {path} : arrêtez-le, ou "
            "laissez-le faire."
        )


class LedgerUnwritableError(TraverseError):
    """The disk does not take what is to be noted: nothing of it is."""

    def __init__(self, path: Path, error: OSError | sqlite3.OperationalError) -> None:
        super().__init__(
            f"Le registre des alertes {path} ne peut pas être écrit ({fault(error)}) : libérez "
            "de la place, ou rendez ce fichier à ce compte ; les alertes attendent, puis partent."
        )


class _Base(sqlite3.Connection):
    """A connection whose errors of the disk are ours."""

    path: Path

    def execute(self, *statement: Any) -> sqlite3.Cursor:
        with _told(self.path):
            return super().execute(*statement)

    def executemany(self, *statement: Any) -> sqlite3.Cursor:
        with _told(self.path):
            return super().executemany(*statement)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        raise LedgerUnwritableError(path, error) from error


class Alert(NamedTuple):
    """One thing to say to one subscription. `at` in seconds since 1970; `changed` are fields, or
    types of what is proposed, `why` the conditions that the opportunity met, in words."""

    id: str
    subscription: str
    opportunity: str
    kind: AlertKind
    changed: tuple[str, ...]
    why: tuple[str, ...]
    at: float


class Delivery(NamedTuple):
    """Alerts that go together; `first` is when it was first tried, None while it was not."""

    id: str
    subscription: str
    due: float
    first: float | None
    failures: int


class Batch(NamedTuple):
    """What one batch of changes comes to."""

    notes: Mapping[str, str]
    known: Mapping[str, Known]
    told: Iterable[tuple[str, str]]
    """Pairs of record and subscription."""
    alerts: Iterable[Alert]
    gone: Iterable[str] = ()
    """Records that are there no more."""
    untold: Iterable[tuple[str, str]] = ()
    """Pairs that are told of no more: the record is not for that reader now."""
    unnoted: Iterable[str] = ()
    """Notes that are done with."""
    proposed: Iterable[tuple[str, str, str]] = ()
    """Opportunity, what is proposed of it (`proposed.proposed_to`), and the subscription that knows
    now."""
    lost: Iterable[str] = ()
    """Opportunities that are there no more."""


def alert_id(subscription: str, opportunity: str, kind: AlertKind, version: str) -> str:
    """The id of an alert: the same whenever it is made again, from whatever ledger."""
    text = f"{subscription} {opportunity} {kind} {version}"
    return blake2b(text.encode(), digest_size=16).hexdigest()


class Ledger:
    """Opened by one process, used by one thread."""

    def __init__(self, path: Path) -> None:
        """Opens or makes the file. Raises LedgerTakenError, LedgerUnwritableError; the latter
        whatever is written later."""
        with _told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = path.with_suffix(".lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise LedgerTakenError(path) from None
        try:
            self._base = self._opened(path)
        except LedgerUnwritableError:
            self._lock.close()
            raise

    @staticmethod
    def _opened(path: Path) -> _Base:
        with _told(path):
            base = sqlite3.connect(path, isolation_level=None, factory=_Base)
            base.path = path
            base.execute("PRAGMA journal_mode=WAL")
            # What a power cut takes back, position and alerts together, is made again with the
            # same ids; so nothing waits for the disk.
            base.execute("PRAGMA synchronous=NORMAL")
            # A reference that is taken away is not to be read in what the file leaves free.
            base.execute("PRAGMA secure_delete=ON")
            base.executescript(_SCHEMA)
        return base

    def close(self) -> None:
        """Release the file."""
        self._base.close()
        self._lock.close()

    def note(self, name: str) -> str | None:
        """A thing to remember, by its name."""
        found = self._base.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def notes(self, beginning: str) -> list[tuple[str, str]]:
        """The notes whose names begin so."""
        query = "SELECT name, value FROM note WHERE substr(name, 1, ?) = ? ORDER BY name"
        return list(self._base.execute(query, (len(beginning), beginning)))

    def known(self, records: Sequence[str]) -> dict[str, Known]:
        """What is known of these records."""
        rows = self._in("SELECT * FROM record WHERE record IN ({})", records)
        return {row[0]: Known(row[1], row[2], json.loads(row[3]), bool(row[4])) for row in rows}

    def told(self, records: Sequence[str]) -> dict[str, set[str]]:
        """For each subscription that was told of some of these records, which."""
        found: dict[str, set[str]] = {}
        rows = self._in("SELECT subscription, record FROM told WHERE record IN ({})", records)
        for subscription, record in rows:
            found.setdefault(subscription, set()).add(record)
        return found

    def proposed(self, opportunities: Sequence[str]) -> dict[tuple[str, str], set[str]]:
        """What was proposed before of opportunities, by opportunity and subscription."""
        found: dict[tuple[str, str], set[str]] = {}
        query = "SELECT opportunity, subscription, proposal FROM proposed WHERE opportunity IN ({})"
        for opportunity, subscription, proposal in self._in(query, opportunities):
            found.setdefault((opportunity, subscription), set()).add(proposal)
        return found

    def members(self, opportunity: str) -> list[str]:
        """The records that were last seen in an opportunity."""
        query = "SELECT record FROM record WHERE opportunity = ?"
        return [row[0] for row in self._base.execute(query, (opportunity,))]

    def members_of(self, opportunities: Sequence[str]) -> dict[str, str]:
        """The same for several: records, each with its opportunity."""
        query = "SELECT record, opportunity FROM record WHERE opportunity IN ({})"
        return dict(self._in(query, opportunities))

    def write(self, batch: Batch) -> int:
        """Everything that a batch comes to, or nothing. Gives how many alerts were not there."""
        with self._transaction():
            before = self._base.total_changes
            self._base.executemany(
                "INSERT OR IGNORE INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
                (
                    (*one[:3], str(one.kind), json.dumps(one.changed), json.dumps(one.why), one.at)
                    for one in batch.alerts
                ),
            )
            new = self._base.total_changes - before
            for record in batch.gone:
                self._base.execute("DELETE FROM record WHERE record = ?", (record,))
                self._base.execute("DELETE FROM told WHERE record = ?", (record,))
            self._base.executemany(
                "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)",
                (
                    (record, one.opportunity, one.updated_at, json.dumps(one.digests), one.closed)
                    for record, one in batch.known.items()
                ),
            )
            self._base.executemany("INSERT OR IGNORE INTO told VALUES (?, ?)", batch.told)
            self._base.executemany(
                "DELETE FROM proposed WHERE opportunity = ?", ((one,) for one in batch.lost)
            )
            self._base.executemany(
                "INSERT OR IGNORE INTO proposed VALUES (?, ?, ?)", batch.proposed
            )
            self._base.executemany(
                "DELETE FROM told WHERE record = ? AND subscription = ?", batch.untold
            )
            self._base.executemany(
                "DELETE FROM note WHERE name = ?", ((name,) for name in batch.unnoted)
            )
            self._base.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", batch.notes.items())
        return new

    def see(self, records: Iterable[str]) -> None:
        """While everything is read: these are there."""
        self._base.execute("CREATE TEMP TABLE IF NOT EXISTS seen (record TEXT PRIMARY KEY)")
        self._base.executemany(
            "INSERT OR IGNORE INTO seen VALUES (?)", ((record,) for record in records)
        )

    def forget_unseen(self) -> None:
        """Everything has been read: what was not seen is there no more."""
        self.see(())
        with self._transaction():
            for table in ("record", "told"):
                self._base.execute(
                    f"DELETE FROM {table} WHERE record NOT IN (SELECT record FROM seen)"  # noqa: S608
                )
        self._base.execute("DROP TABLE seen")

    def waiting(self) -> list[tuple[str, float]]:
        """Subscriptions with alerts of which no delivery is made yet, and since when."""
        query = "SELECT subscription, min(at) FROM alert WHERE delivery IS NULL GROUP BY 1"
        return [(row[0], row[1]) for row in self._base.execute(query)]

    def gather(self, subscription: str, due: float, *, together: bool) -> None:
        """Make deliveries of what waits for a subscription: one for all, or one for each, with the
        alert's own id. From here on the ids are fixed."""
        query = "SELECT id FROM alert WHERE subscription = ? AND delivery IS NULL ORDER BY at, id"
        with self._transaction():
            ids = [row[0] for row in self._base.execute(query, (subscription,))]
            for one in ids:
                name = ids[0] if together else one
                self._base.execute(
                    "INSERT OR IGNORE INTO delivery (id, subscription, state, due) "
                    "VALUES (?, ?, 'waiting', ?)",
                    (name, subscription, due),
                )
                self._base.execute("UPDATE alert SET delivery = ? WHERE id = ?", (name, one))

    def plan(self, subscription: str, edition: str, due: float) -> None:
        """Make the delivery of an edition, by a name that sorts with time, of what goes regularly.
        Once: never of one that is not newer than the last. Its id is always the same."""
        note = _edition_note(subscription)
        with self._transaction():
            if edition <= (self.note(note) or ""):
                return
            self._base.execute(
                "INSERT OR IGNORE INTO delivery (id, subscription, state, due) "
                "VALUES (?, ?, 'waiting', ?)",
                (f"{subscription}.{edition}", subscription, due),
            )
            self._base.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (note, edition))

    def set_aside(self, subscription: str) -> None:
        """What waits for a subscription is delivered in no way of ours."""
        query = "UPDATE alert SET delivery = '' WHERE subscription = ? AND delivery IS NULL"
        self._base.execute(query, (subscription,))

    def due(self, now: float, most: int) -> list[Delivery]:
        """Deliveries whose time has come, the first due first."""
        query = (
            "SELECT id, subscription, due, first, failures FROM delivery "
            "WHERE state = 'waiting' AND due <= ? ORDER BY due, id LIMIT ?"
        )
        return [Delivery(*row) for row in self._base.execute(query, (now, most))]

    def alerts(self, delivery: str) -> list[Alert]:
        """The alerts of a delivery, the oldest first."""
        query = (
            "SELECT id, subscription, opportunity, kind, changed, why, at FROM alert "
            "WHERE delivery = ? ORDER BY at, id"
        )
        return [_alert(row) for row in self._base.execute(query, (delivery,))]

    def begin(self, delivery: str, now: float) -> None:
        """It is tried now. Before anything leaves: what could not be noted afterwards would leave
        again and again."""
        query = "UPDATE delivery SET first = coalesce(first, ?) WHERE id = ?"
        self._base.execute(query, (now, delivery))

    def done(self, delivery: str) -> None:
        """It arrived."""
        self._base.execute("UPDATE delivery SET state = 'done' WHERE id = ?", (delivery,))

    def failed(self, delivery: Delivery, now: float, again: float) -> None:
        """It did not arrive: everything for its subscription waits until `again`."""
        with self._transaction():
            self._base.execute(
                "UPDATE delivery SET failures = failures + 1, first = coalesce(first, ?) "
                "WHERE id = ?",
                (now, delivery.id),
            )
            self._base.execute(
                "UPDATE delivery SET due = max(due, ?) "
                "WHERE subscription = ? AND state = 'waiting'",
                (again, delivery.subscription),
            )

    def give_up(self, subscription: str) -> None:
        """Nothing more goes to a subscription, until it is asked for."""
        query = "UPDATE delivery SET state = 'dead' WHERE subscription = ? AND state = 'waiting'"
        self._base.execute(query, (subscription,))

    def again(self, subscription: str, since: float, now: float, note: str) -> None:
        """Deliver once more what was alerted since, under the same ids. `note` remembers that it
        was asked for."""
        with self._transaction():
            self._base.execute(
                "UPDATE delivery SET state = 'waiting', due = ?, first = NULL, failures = 0 "
                "WHERE subscription = ? AND id IN "
                "(SELECT delivery FROM alert WHERE subscription = ? AND at >= ?)",
                (now, subscription, subscription, since),
            )
            self._base.execute(
                "INSERT OR REPLACE INTO note VALUES (?, ?)", (f"again {subscription}", note)
            )

    def forget(self, subscriptions: Iterable[str], before: float) -> None:
        """Forget what is of other subscriptions than these, and alerts from before."""
        kept = set(subscriptions)
        with self._transaction():
            query = (
                "SELECT DISTINCT subscription FROM told UNION SELECT subscription FROM alert "
                "UNION SELECT subscription FROM proposed"
            )
            for one in {row[0] for row in self._base.execute(query)} - kept:
                for table in ("told", "proposed", "alert", "delivery"):
                    statement = f"DELETE FROM {table} WHERE subscription = ?"  # noqa: S608
                    self._base.execute(statement, (one,))
                self._base.execute("DELETE FROM note WHERE name = ?", (f"again {one}",))
            noted = self._base.execute("SELECT name FROM note WHERE name LIKE 'edition %'")
            for (name,) in list(noted):
                if name.partition(" ")[2] not in kept:
                    self._base.execute("DELETE FROM note WHERE name = ?", (name,))
            self._base.execute(
                "DELETE FROM alert WHERE at < ? AND delivery IS NOT NULL AND NOT EXISTS (SELECT 1 "
                "FROM delivery WHERE delivery.id = alert.delivery AND state = 'waiting')",
                (before,),
            )
            self._base.execute(
                "DELETE FROM delivery WHERE state != 'waiting' "
                "AND NOT EXISTS (SELECT 1 FROM alert WHERE alert.delivery = delivery.id)"
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._base.execute("COMMIT")  # a full disk is often noticed here
        except BaseException:
            if self._base.in_transaction:  # of some errors SQLite has rolled back itself
                self._base.execute("ROLLBACK")
            raise

    def _in(self, query: str, values: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(values), _MANY):
            part = values[start : start + _MANY]
            yield from self._base.execute(query.format(",".join("?" * len(part))), part)


def _edition_note(subscription: str) -> str:
    """Under which name the last edition of a subscription is noted."""
    return f"edition {subscription}"


def followers_in(path: Path, owners: Mapping[str, str]) -> dict[str, int]:
    """How many subscriptions were told of something that an institution says, by its SIREN; not
    its own. `owners` gives the SIREN of each subscription. Reads the file by itself, beside who
    writes it: it may take a while, in a thread."""
    siren = f"substr(record, {len(_URN) + 1}, 9)"
    query = f"SELECT DISTINCT {siren}, subscription FROM told WHERE record LIKE '{_URN}%'"  # noqa: S608
    found: Counter[str] = Counter()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        for whose, subscription in base.execute(query):
            if owners.get(subscription, whose) != whose:
                found[whose] += 1
    return dict(found)


def _alert(row: Sequence[Any]) -> Alert:
    changed, why = (tuple(json.loads(text)) for text in (row[4], row[5]))
    return Alert(row[0], row[1], row[2], AlertKind(row[3]), changed, why, row[6])
