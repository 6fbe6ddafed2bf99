"""The errors of publishing; `str(error)` is the sentence that the user reads.

TraverseError
└── PublishError
    ├── InvalidEventError       the event is not what its schema says (problems: pointer, sentence)
    ├── EventTooLargeError      more octets than an event may have
    ├── BrokerAwayError         Kafka does not answer, or not in time
    │   └── GatewayAwayError    the gateway does not, or says: later
    ├── BrokerRefusedError      Kafka answers and refuses: topic missing, not allowed
    │   ├── GatewayRefusedError the gateway refuses everything: the key, the address
    │   └── EventRefusedError   it refuses this very event, and always will
    ├── UndeliveredError        flush or close could not deliver everything in time
    │   ├── StillQueuedError    it is safe in the outbox, and leaves later
    │   └── ParkedError         the outbox has events that were refused for good
    ├── OutboxError             the file of the events that wait cannot be used: damaged, disk full
    │   └── OutboxFullError     it holds as much as it may
    ├── MissingKeyError         the institution's private key is not on this machine
    ├── UnsafeKeyError          others may read it
    ├── PublisherClosedError    the publisher was closed before
    ├── UnreadableInputError    a file or an address that cannot be read
    ├── UnreadableCellError     a cell of a table is not what its column holds (csv_cells)
    ├── PositionError           the saved position of a listing that is polled
    └── InvalidOptionError      an option of the command line
"""

from collections.abc import Sequence
from pathlib import Path

from traverse_schemas.errors import TraverseError
from traverse_schemas.judging.sentences import Problem
from traverse_schemas.log.topics import MAX_EVENT_BYTES


class PublishError(TraverseError):
    """Base of this package's errors."""


class InvalidEventError(PublishError):
    """The event does not follow its schema; `problems` says everything that is wrong."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        first = problems[0]
        where = f" ({first.pointer})" if first.pointer else ""
        more = f" Et {len(problems) - 1} autre(s) problème(s)." if len(problems) > 1 else ""
        super().__init__(f"{first.sentence}{where}{more}")
        self.problems = tuple(problems)


class EventTooLargeError(PublishError):
    """The event has more octets than the limit."""

    def __init__(self, size: int) -> None:
        super().__init__(
            f"L'événement fait {size // 1024} Kio ; la limite est de {MAX_EVENT_BYTES // 1024} Kio "
            ": donnez les pièces par leur adresse (url, actions)."
        )
        self.size = size


class MissingKeyError(PublishError):
    """The private key of an institution is not where it is looked for."""

    def __init__(self, path: Path, siren: str = "") -> None:
        who = f" de l'institution {siren}" if siren else ""
        super().__init__(
            f"La clé de signature{who} n'est pas dans {path} : « traverse institutions add "
            f"{siren or 'SIREN'} --name NOM --kind TYPE » l'y écrit ; si elle est ailleurs, "
            "donnez-la (key=, ou TRAVERSE_HOME)."
        )


class UnsafeKeyError(PublishError):
    """A private key that others on the machine may read."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"La clé de signature {path} peut être lue par d'autres comptes de cette machine : "
            f"« chmod 600 {path} », et changez-la si elle a pu être copiée (« traverse "
            "institutions rotate-key »)."
        )


class BrokerAwayError(PublishError):
    """Kafka does not answer. `retry_after`: seconds before which it is no use to try again."""

    retry_after: float = 0

    def __init__(self, bootstrap: str) -> None:
        super().__init__(
            f"Kafka ne répond pas à l'adresse {bootstrap} : démarrez-le (« traverse up ») ou "
            "corrigez TRAVERSE_KAFKA."
        )


class GatewayAwayError(BrokerAwayError):
    """The gateway does not answer, or asks to come back later."""

    def __init__(self, url: str, why: str, retry_after: float = 0) -> None:
        PublishError.__init__(
            self,
            f"La passerelle {url} n'a pas confirmé l'événement ({why}) : vérifiez l'adresse et la "
            "liaison, puis réessayez avec le même identifiant.",
        )
        self.retry_after = retry_after


class BrokerRefusedError(PublishError):
    """Kafka refuses the event."""


class GatewayRefusedError(BrokerRefusedError):
    """The gateway refuses whatever is sent so: the key, or the address, is wrong."""


class EventRefusedError(BrokerRefusedError):
    """The event itself is refused: sending it again as it is changes nothing."""


class UndeliveredError(PublishError):
    """Some events are not known to be delivered; `count` says how many."""

    def __init__(self, count: int, sentence: str = "") -> None:
        super().__init__(
            sentence
            or f"{count} événement(s) n'ont pas été confirmés par Kafka à temps : publiez-les de "
            "nouveau avec les mêmes identifiants, ceux qui étaient passés ne compteront pas deux "
            "fois."
        )
        self.count = count


class StillQueuedError(UndeliveredError):
    """What is not delivered yet is on disk, and leaves when the outbox is opened again."""

    def __init__(self, path: Path, count: int) -> None:
        super().__init__(
            count,
            f"{count} événement(s) attendent sur disque dans {path} : ils partiront quand Traverse "
            "répondra, au plus tard à la prochaine ouverture de cette file.",
        )


class ParkedError(UndeliveredError):
    """Events were refused for good; the outbox keeps them until somebody decides."""

    def __init__(self, path: Path, count: int) -> None:
        super().__init__(
            count,
            f"{count} événement(s) ont été refusés et mis de côté dans {path} : voyez pourquoi "
            f"avec « traverse outbox show {path} ».",
        )


class OutboxError(PublishError):
    """The file of the events that wait cannot be used."""


class OutboxFullError(OutboxError):
    """As many events wait as may."""

    def __init__(self, path: Path, waiting: int, parked: int) -> None:
        refused = f", dont {parked} refusés qui attendent votre décision" if parked else ""
        super().__init__(
            f"La file {path} est pleine ({waiting + parked} événements{refused}) : rétablissez la "
            "liaison avec Traverse, ou agrandissez la limite, puis publiez de nouveau."
        )


class PublisherClosedError(PublishError):
    """`send` after `close`."""

    def __init__(self) -> None:
        super().__init__("Ce Publisher est fermé : ouvrez-en un nouveau pour publier encore.")


class UnreadableInputError(PublishError):
    """A file, a folder or an address cannot be read, or not further."""


class PositionError(PublishError):
    """The saved position of a listing cannot be used."""


class InvalidOptionError(PublishError):
    """An option of the command line, or a setting, is missing or wrong."""
