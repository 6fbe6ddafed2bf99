"""`traverse check`: does the index say what the log says, and is what was erased gone?"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from traverse_infra.check.erased import Erased
    from traverse_infra.settings import Settings

_SHOWN = 20
_PATIENCE = 15.0


def check(
    repair: Annotated[bool, typer.Option("--repair", help="Réécrit ce qui diffère.")] = False,
    purged: Annotated[
        bool, typer.Option("--purged", help="Prouve que les contenus effacés le sont.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="En JSON.")] = False,
) -> None:
    """Compare le journal et l'index, institution par institution ; --purged prouve l'effacement.

    --purged --repair ôte d'abord du journal ce que des personnes ont écrit des dossiers effacés.

    Code de sortie 0 quand tout est comme il doit être, 1 sinon.
    """
    from traverse_infra.commands.engines import load_settings

    settings = load_settings()
    if purged:
        if repair:
            _silence(settings.kafka)
        sound = _purged(settings, as_json)
    else:
        sound = _compare(settings.kafka, settings.elasticsearch, repair, as_json)
    raise typer.Exit(0 if sound else 1)


def _compare(kafka: str, elasticsearch: str, repair: bool, as_json: bool) -> bool:
    from traverse_infra.check.compare import compare

    report = compare(kafka, elasticsearch, repair=repair)
    if as_json:
        _print(
            {
                "sound": report.sound,
                "institutions": [{**one._asdict(), "equal": one.equal} for one in report.sums],
                "differing": report.differing,
                "differences": [one._asdict() for one in report.differences],
                "repaired": report.repaired,
                "refused": report.refused,
            }
        )
        return report.sound
    for one in report.sums:
        if not one.equal:
            typer.echo(
                f"{one.institution} : {one.log_count} au journal ({one.log_digest}), "
                f"{one.index_count} dans l'index ({one.index_digest})"
            )
    for each in report.differences[:_SHOWN]:
        typer.echo(f"  {each.id} ({each.alias}) : {each.what}")
    total = sum(one.log_count for one in report.sums)
    typer.echo(
        f"{len(report.sums)} institutions, {total} documents : "
        + ("le journal et l'index disent la même chose." if not report.differing else "")
        + (f"{report.differing} document(s) diffèrent" if report.differing else "")
        + (f", {report.repaired} réparé(s)." if report.differing and repair else "")
        + (" ; --repair les réécrit." if report.differing and not repair else "")
    )
    for line in report.refused[:_SHOWN]:
        typer.echo(f"Non réparé : {line}")
    return report.sound


def _silence(kafka: str) -> None:
    from traverse_infra.privacy.silence import silence

    count = silence(kafka)
    if count:
        typer.echo(
            f"{count} mot(s) sur des liens ou des groupements réécrit(s) sans leur texte.", err=True
        )


def _purged(settings: "Settings", as_json: bool) -> bool:
    from traverse_infra.check.erased import prove
    from traverse_infra.engines.waiting import wait_until
    from traverse_infra.privacy.local_files import files_under, left

    def beside(erased: "Iterable[Erased]") -> list[str]:
        known = list(erased)
        found: list[str] = []

        def nothing() -> bool:
            found[:] = left(files_under(settings.home), known)
            return not found

        # Whoever alerts hears of an erasure a moment after the index.
        wait_until(nothing, timeout=_PATIENCE)
        return found

    proof = prove(settings.kafka, settings.elasticsearch, beside)
    if as_json:
        _print({**asdict(proof), "sound": proof.sound})
    else:
        for line in proof.lines():
            typer.echo(line)
    return proof.sound


def _print(content: dict[str, Any]) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False, indent=2, default=str))
