"""One step of the stream processors in a process of its own, as `traverse work --step` runs it."""

import sys

from traverse_infra.commands_work import work
from traverse_schemas.errors import TraverseError

if __name__ == "__main__":
    try:
        work(step=sys.argv[1])  # type: ignore[arg-type]
    except TraverseError as error:
        sys.exit(f"Erreur : {error}")
