"""`traverse serve gateway`: the application with what it stands on, and the server under it."""

from typing import Annotated

import typer

from traverse_schemas.read_settings import read_settings


def serve_gateway(
    host: Annotated[
        str | None, typer.Option(help="Interface (TRAVERSE_GATEWAY_HOST par défaut).")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port (TRAVERSE_GATEWAY_PORT par défaut).")
    ] = None,
) -> None:
    """Lance la passerelle : publier par HTTP."""
    from traverse_producers.gateway.app import create_app
    from traverse_producers.gateway.journal import Journal
    from traverse_producers.gateway.kafka_log import KafkaLog
    from traverse_producers.gateway.server import listen, server_of
    from traverse_producers.gateway.settings import GatewaySettings
    from traverse_producers.gateway.spool import SpooledJournal
    from traverse_producers.gateway.vouched_transport import VouchedTransport
    from traverse_producers.gateway.vouching import Vouching
    from traverse_producers.outbox.durable_queue import Limits
    from traverse_producers.receipts.follow import Follower
    from traverse_producers.signing_keys import KeyFolder
    from traverse_producers.transports.kafka import KafkaTransport
    from traverse_schemas.clock import SystemClock
    from traverse_schemas.collector import spare_what_stays
    from traverse_schemas.registry.registry import LiveRegistry, institutions_table

    settings = read_settings(GatewaySettings)
    signer = None
    if settings.gateway_siren:
        signer = KeyFolder(settings.home / "keys").signer(settings.gateway_siren)
    elif settings.signatures == "required":
        typer.echo(
            "TRAVERSE_GATEWAY_SIREN n'est pas réglé : la passerelle ne signe pour personne, et ne "
            "prend que ce que les institutions signent elles-mêmes.",
            err=True,
        )
    chosen = host or settings.gateway_host, port or settings.gateway_port
    institutions = institutions_table(settings.kafka)
    registry = LiveRegistry(institutions)
    vouching = Vouching(registry, signer, required=settings.signatures == "required")
    follower = Follower(settings.kafka, settings.home)

    direct = Journal(
        lambda: KafkaLog(settings.kafka, timeout=_PATIENCE), timeout=settings.gateway_kafka_timeout
    )
    journal: Journal | SpooledJournal = direct
    if settings.gateway_spool:
        path = settings.home / "gateway" / "spool.sqlite3"
        limits = Limits(messages=_MOST_SPOOLED, octets=settings.gateway_spool)
        journal = SpooledJournal(
            direct,
            path,
            lambda: VouchedTransport(
                KafkaTransport(settings.kafka, timeout=_PATIENCE), vouching, SystemClock()
            ),
            limits,
        )
    with listen(*chosen) as listener, institutions:
        app = create_app(
            settings,
            journal=journal,
            registry=registry,
            follow=follower,
            members=institutions if settings.gateway_administration == "on" else None,
            signer=signer,
        )
        spare_what_stays()
        follower.start()
        try:
            typer.echo(
                f"La passerelle répond à http://{chosen[0]}:{chosen[1]} (Ctrl+C pour arrêter)."
            )
            server_of(app, settings).run(sockets=[listener])
        finally:
            follower.stop()


_PATIENCE = 10.0
"""Seconds for which Kafka's client tries to deliver: longer than a caller is kept waiting, since
what comes late is still better than what is sent twice."""
_MOST_SPOOLED = 10_000_000
"""Events; the octets bound it before."""
