"""`traverse rejected`: what was refused, why, and once more.

The operator reads the log. An institution asks the gateway, with its API key, and signs what it
replays with its own key, where it has one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from traverse_infra.errors import InfraError
from traverse_schemas.read_settings import read_settings
from traverse_schemas.system_faults import fault

if TYPE_CHECKING:
    from traverse_infra.log.rejections import Rejection
    from traverse_producers.rejections import Rejections
    from traverse_producers.signing_keys import KeyFolder

_PLACE = Annotated[
    str,
    typer.Argument(metavar="PLACE", help="Sa place, comme traverse.inbound/2@41 ou inbound-2@41."),
]
_GATEWAY = Annotated[
    str,
    typer.Option(
        help="Adresse de la passerelle (TRAVERSE_GATEWAY) : pour une institution, qui n'y voit que "
        "ses propres refus. Sans elle, le journal est lu, ce que seul l'exploitant peut."
    ),
]
_KEY_FILE = Annotated[
    Path | None,
    typer.Option(
        "--api-key-file",
        help="Fichier de la clé d'API pour la passerelle (TRAVERSE_API_KEY_FILE).",
    ),
]


class UnknownRejectionError(InfraError):
    """No rejection has this place."""


class UnreadableCorrectionError(InfraError):
    """The file of a corrected event cannot be read."""


def rejected_list(
    source: Annotated[str, typer.Option(help="Seulement cette source (urn:siren:…).")] = "",
    reason: Annotated[str, typer.Option(help="Seulement ce motif (invalid_data, …).")] = "",
    most: Annotated[int, typer.Option("--most", min=1, help="Nombre de lignes.")] = 50,
    gateway: _GATEWAY = "",
    api_key_file: _KEY_FILE = None,
) -> None:
    """Montre les événements refusés, les plus récents d'abord."""
    from rich.console import Console

    from traverse_infra.commands.engines import load_settings
    from traverse_infra.log.rejections import read_rejections, rejections_table

    with _by_gateway(gateway, api_key_file) as own:
        every = read_rejections(load_settings().kafka) if own is None else map(_told, own.all())
        found = [
            one
            for one in every
            if (not source or one.source == source) and (not reason or one.reason == reason)
        ]
    if not found:
        typer.echo("Aucun événement refusé.")
        return
    Console().print(rejections_table(found[:most]))
    if len(found) > most:
        typer.echo(f"{most} sur {len(found)} ; --most pour en voir plus.")


def rejected_show(place: _PLACE, gateway: _GATEWAY = "", api_key_file: _KEY_FILE = None) -> None:
    """Montre un événement refusé : le motif, puis les octets reçus."""
    with _by_gateway(gateway, api_key_file) as own:
        one = _find(place) if own is None else _told(own.one(place))
    typer.echo(f"Motif : {one.reason}\nOù : {one.pointer or '(tout)'}\n{one.sentence}\n")
    typer.echo((one.octets or b"").decode(errors="backslashreplace"))


def rejected_replay(
    place: _PLACE,
    file: Annotated[
        Path | None, typer.Option(help="Fichier de l'événement corrigé ; par défaut tel quel.")
    ] = None,
    gateway: _GATEWAY = "",
    api_key_file: _KEY_FILE = None,
) -> None:
    """Remet un événement refusé sur traverse.inbound, corrigé si un fichier est donné.

    Il est signé avec la clé de l'institution (TRAVERSE_HOME/keys/SIREN.pem) ; par la passerelle,
    sans cette clé, c'est elle qui signe pour qui le lui a confié.
    """
    from traverse_producers.settings import PublishSettings
    from traverse_producers.signing_keys import HeldKeys, KeyFolder

    correction = _correction(file) if file else None
    folder = read_settings(PublishSettings).keys
    with _by_gateway(gateway, api_key_file) as own:
        if own is None:
            said = _replayed_on_the_log(place, correction, KeyFolder(folder))
            typer.echo(f"Remis sur le journal : {said}.")
            return
        said = own.replay(place, correction, keys=HeldKeys(folder))
        typer.echo(f"Rejoué : événement {said}.")


def _correction(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnreadableCorrectionError(
            f"Le fichier {file} ne peut pas être lu ({fault(error)}) : donnez celui de l'événement "
            "corrigé."
        ) from error


@contextmanager
def _by_gateway(address: str, key_file: Path | None) -> "Iterator[Rejections | None]":
    """The rejections of an institution where a gateway is named; None for the operator."""
    from traverse_producers.commands import api_key_in
    from traverse_producers.settings import PublishSettings

    settings = read_settings(PublishSettings)
    address = address or settings.gateway
    if not address:
        yield None
        return
    from traverse_producers.rejections import Rejections

    key = api_key_in(key_file or settings.api_key_file)
    with Rejections(address, key, timeout=settings.publish_timeout) as own:
        yield own


def _told(item: dict[str, Any]) -> "Rejection":
    """What the gateway tells of a rejection, as the log has it."""
    from datetime import datetime

    from traverse_infra.log.rejections import Rejection

    return Rejection(
        place=item["id"],
        source=item["source"] or "",
        reference=item["event_id"] or "",
        reason=item["reason"],
        pointer=item["pointer"],
        sentence=item["sentence"],
        octets=str(item.get("event", "")).encode(),
        at=datetime.fromisoformat(item["at"]),
    )


def _replayed_on_the_log(place: str, correction: bytes | None, keys: "KeyFolder") -> str:
    from traverse_infra.commands.engines import load_settings
    from traverse_infra.demo.play import publish
    from traverse_producers.receipts.replay import replayed
    from traverse_producers.settings import PublishSettings
    from traverse_producers.signing_keys import siren_of

    one = _find(place)
    octets = replayed(one.octets or b"", correction, one.reason)

    def sign(said: bytes, source: str) -> bytes:
        if said == one.octets and one.signature:
            return one.signature  # the institution's own word goes on as it was given
        return keys.signer(siren_of(source)).sign(said)

    required = read_settings(PublishSettings).signatures == "required"
    sent = publish(load_settings().kafka, [octets], sign=sign if required else None)
    return sent[0].place


def _find(place: str) -> "Rejection":
    from traverse_infra.commands.engines import load_settings
    from traverse_infra.log.rejections import read_rejections

    for one in read_rejections(load_settings().kafka):
        if place in (one.place, one.place.removeprefix("traverse.").replace("/", "-", 1)):
            return one
    raise UnknownRejectionError(
        f"Aucun événement refusé n'a la place {place} : « traverse rejected list » les montre."
    )
