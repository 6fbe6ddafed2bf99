"""The `traverse` command: puts the packages' commands together. The one composition root."""

import sys

from traverse_schemas.errors import TraverseError

_MISSING_EXTRA = (
    "La commande traverse a besoin de l'extra « all » (il manque {name}) : "
    "installez-le avec pip install 'traverse[all]'."
)


def main() -> None:
    """Entry point. A user's mistake is one sentence, never a traceback; exit code 1, and 2 when
    the line itself is wrong."""
    try:
        import typer

        from traverse_infra.commands.french_help import mistake
        from traverse_infra.commands.tree import build
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("traverse_"):
            raise
        sys.exit(_MISSING_EXTRA.format(name=error.name))
    try:
        sys.exit(build()(prog_name="traverse", standalone_mode=False))
    except TraverseError as error:
        sys.exit(f"Erreur : {error}")
    except typer.TyperException as error:
        typer.echo(mistake(error), err=True)
        sys.exit(error.exit_code)
    except typer.Abort:
        sys.exit("Abandonné.")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
