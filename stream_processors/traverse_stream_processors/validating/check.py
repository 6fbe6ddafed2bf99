"""Check: each message of a batch alone, who speaks and whether it is well said. Pure.

What is cheap comes first: the size, then the signature over the octets as they are, then the JSON.
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.judging.judge import check_size
from traverse_schemas.log.topics import INBOUND
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.registry import RegistryView
from traverse_schemas.signing.attribution import Signed, signed_by
from traverse_schemas.signing.signatures import SIGNATURE_HEADER
from traverse_stream_processors.errors import BadDeployError
from traverse_stream_processors.telemetry import logger
from traverse_stream_processors.validating.validate import Accepted, validate

# A bad deploy breaks on ordinary events: more failures of our own than this stop the process
# instead of filling the rejected topic with what is not the publishers' fault.
_MOST_INTERNAL_FAILURES = 5


class Inbound(NamedTuple):
    """A message of `traverse.inbound`; `received` is the broker's timestamp."""

    partition: int
    offset: int
    received: datetime
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Checked(NamedTuple):
    """A message with what validate said of it; `siren` is who surely sent it, where a signature
    proves it."""

    message: Inbound
    accepted: Accepted | None
    error: RejectedError | None
    event_id: bytes
    siren: str | None = None


def check(
    messages: Sequence[Inbound], territories: Territories, registry: RegistryView | None
) -> list[Checked]:
    """Validate each message alone; who speaks too, unless there is no registry to compare with."""
    checked: list[Checked] = []
    failures = 0
    for message in messages:
        signed: Signed | None = None
        try:
            check_size(message.value)
            if registry is not None:
                signed = signed_by(message.value, header_of(message, SIGNATURE_HEADER), registry)
            accepted = validate(message.value, message.received, territories, signed, registry)
        except RejectedError as error:
            checked.append(Checked(message, None, error, b"", _sender(signed, message)))
        except Exception as error:
            failures = own_failure(message, error, failures)
            checked.append(Checked(message, None, internal(error), b"", _sender(signed, message)))
        else:
            siren = accepted.source.siren if signed is not None else None
            event_id = known_as(accepted, accepted.event.id)
            checked.append(Checked(message, accepted, None, event_id, siren))
    return checked


def header_of(message: Inbound, name: str) -> bytes | None:
    """The header's value; the last one where it is there several times."""
    for key, value in reversed(message.headers):
        if key == name:
            return value
    return None


def event_id_of(source: str, event_id: str) -> bytes:
    """16 bytes for (source, id): what an event is unique by."""
    return blake2b(f"{source} {event_id}".encode(), digest_size=16).digest()


def known_as(accepted: Accepted, event_id: str) -> bytes:
    """By what an event of the same source as this one is known. What is only tried has ids of its
    own: the same event may be said in earnest later."""
    source = accepted.event.source
    return event_id_of(f"sandbox {source}" if accepted.sandbox else source, event_id)


def internal(error: Exception) -> RejectedError:
    """The rejection of what our own code failed on."""
    return RejectedError(
        Reason.INTERNAL,
        "",
        f"Traverse n'a pas su traiter cet événement ({type(error).__name__}) ; la faute est de "
        "notre côté : il est gardé et pourra être rejoué après correction.",
    )


def own_failure(message: Inbound, error: Exception, failures: int) -> int:
    """Log a failure of our own; gives how many there are now. Raises BadDeployError."""
    logger.error(
        "Défaut interne sur %s/%d@%d", INBOUND, message.partition, message.offset, exc_info=error
    )
    if failures + 1 > _MOST_INTERNAL_FAILURES:
        raise BadDeployError(
            f"Plus de {_MOST_INTERNAL_FAILURES} événements d'un même lot ont révélé un défaut "
            "interne : le traitement s'arrête sans rien acquitter ; revenez à la version "
            "précédente ou corrigez, puis relancez « traverse work »."
        ) from error
    return failures + 1


def _sender(signed: Signed | None, message: Inbound) -> str | None:
    return signed.attributed(message.received) if signed is not None else None
