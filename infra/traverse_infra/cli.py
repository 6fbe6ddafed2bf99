"""The `traverse` command: puts the packages' commands together. The one composition root."""

import sys

from traverse_schemas.errors import TraverseError

_MISSING_EXTRA = (
    "La commande traverse a besoin de l'extra « all » (il manque {name}) : "
    "installez-le avec pip install 'traverse[all]'."
)


def main() -> None:
    """Entry point. A user's mistake is one sentence and exit code 1, never a traceback."""
    try:
        from traverse_infra.command_tree import build
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("traverse_"):
            raise
        sys.exit(_MISSING_EXTRA.format(name=error.name))
    try:
        build()()
    except TraverseError as error:
        sys.exit(f"Erreur : {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
