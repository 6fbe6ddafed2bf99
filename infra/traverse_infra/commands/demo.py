"""`traverse demo`: the main job from nothing, and what a member of staff would see."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="S'arrête après avoir montré le résultat.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DOSSIER",
            help="Joue les fichiers réels de ce dossier (decp, decp-v2, ted, fonds-vert).",
        ),
    ] = None,
) -> None:
    """Joue une démonstration complète : moteurs, publication, traitement, recherche."""
    from rich.console import Console

    from traverse_infra.commands.engines import load_settings
    from traverse_infra.demo.script import bundled_script, files_script
    from traverse_infra.demo.stage import Stage

    console = Console()
    script = files_script(data) if data else bundled_script()
    settings = load_settings()
    with Stage(settings, script, console) as stage:
        lost = stage.perform()
        if not once:
            stage.stay()
    if lost:
        raise typer.Exit(1)
