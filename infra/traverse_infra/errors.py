"""The errors of the engines, topics and indices; `str(error)` is the sentence that the user reads.

TraverseError
└── InfraError
    ├── EngineError              an engine cannot be installed, started or stopped
    │   ├── MissingToolError     java, javac or mvn
    │   ├── InstallError         Maven did not build the engines
    │   ├── PortTakenError
    │   ├── NotEnoughDiskError
    │   ├── HeapError            too small for the engine, too large for the memory
    │   ├── HomeInUseError       another runner is at work in the same folder
    │   ├── NotLocalError        the address is not of this machine
    │   └── StartError           it did not become ready
    ├── EngineAwayError          nothing answers at an address
    ├── TopicError               a topic is not, and cannot become, what it should be
    ├── IndexMismatchError       the alias points at an index of another generation
    └── IndexLostError           there is no index, and the log has what it should hold
"""

from traverse_schemas.errors import TraverseError


class InfraError(TraverseError):
    """Base of this package's errors."""


class EngineError(InfraError):
    """A local engine cannot be installed, started or stopped."""


class MissingToolError(EngineError):
    """A program that the engines need is not on this machine, or is too old."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} Il faut un JDK 17 ou plus récent (pas seulement un JRE : le greffon est "
            "compilé sur place) et Maven ; sous Debian : "
            "apt-get install -y openjdk-17-jdk-headless maven"
        )


class InstallError(EngineError):
    """Maven could not bring or build the engines."""


class PortTakenError(EngineError):
    """Something else listens on the port of an engine."""

    def __init__(self, engine: str, port: int, setting: str) -> None:
        super().__init__(
            f"Le port {port} prévu pour {engine} est déjà pris par un autre programme : "
            f"arrêtez-le, ou choisissez un autre port avec {setting}."
        )
        self.port = port


class NotEnoughDiskError(EngineError):
    """The disk of a folder has less room than the engines need."""

    def __init__(self, folder: object, free: int, needed: int) -> None:
        super().__init__(
            f"Il ne reste que {free // 2**20} Mo sur le disque de {folder}, il en faut "
            f"{needed // 2**20} : faites de la place, ou changez de dossier avec TRAVERSE_HOME."
        )


class HeapError(EngineError):
    """The heap asked for does not suit the engine or the machine."""


class HomeInUseError(EngineError):
    """Another runner holds the lock of the folder."""

    def __init__(self, home: object) -> None:
        super().__init__(
            f"Une autre commande traverse démarre ou arrête déjà les moteurs de {home} : "
            "attendez qu’elle ait fini, puis recommencez."
        )


class NotLocalError(EngineError):
    """The settings name an engine of another machine, which is not ours to start."""

    def __init__(self, engine: str, host: str, setting: str) -> None:
        super().__init__(
            f"{setting} désigne {host or 'une adresse vide'} : `traverse up` ne démarre {engine} "
            "que sur cette machine (127.0.0.1 ou localhost)."
        )


class StartError(EngineError):
    """An engine died or was not ready in time."""


class EngineAwayError(InfraError):
    """Nothing answers where an engine should be."""

    def __init__(self, engine: str, address: str, detail: str = "") -> None:
        more = f" ({detail})" if detail else ""
        super().__init__(
            f"{engine} ne répond pas à l’adresse {address}{more} : démarrez les moteurs avec "
            "`traverse up`, puis voyez `traverse status`."
        )


class TopicError(InfraError):
    """A topic is not, and cannot simply become, what it should be."""


class IndexMismatchError(InfraError):
    """An alias points at an index of another topic generation or another mapping."""


class IndexLostError(InfraError):
    """Elasticsearch has no index for an alias, though its log was written already: an empty one
    would look whole, and the steps would go on filling it from where they were."""

    def __init__(self, alias: str) -> None:
        super().__init__(
            f"L’index {alias} n’est plus dans Elasticsearch, alors que le journal contient ce "
            "qu’il devrait montrer : lancez `traverse reindex`, qui le refait du journal, puis "
            "relancez `traverse work`."
        )
