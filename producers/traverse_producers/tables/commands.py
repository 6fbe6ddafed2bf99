"""`traverse template`, and what `traverse publish` does for tables beyond reading them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from traverse_producers.errors import InvalidOptionError
from traverse_producers.files.report import Report
from traverse_schemas.records.codes import Kind
from traverse_schemas.system_faults import fault

if TYPE_CHECKING:
    from traverse_producers.tables.mapping import Mapping


def template(
    kind: Annotated[str, typer.Argument(metavar="NATURE", help="need, call ou project.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FICHIER", help="Le fichier à écrire.")
    ] = None,
) -> None:
    """Écrit un modèle de tableur (XLSX) à remplir, puis à publier."""
    from traverse_producers.spreadsheets.template import FIELDS, write_template

    if kind not in FIELDS:
        raise InvalidOptionError(
            f"Il n'y a pas de modèle « {kind[:40]} » : {', '.join(sorted(FIELDS))}."
        )
    path = output or Path(f"traverse-{kind}.xlsx")
    if path.suffix.casefold() != ".xlsx":
        raise InvalidOptionError(f"Le modèle est un classeur : donnez un nom en .xlsx, pas {path}.")
    try:
        # Never over what somebody has filled in.
        with path.open("xb") as file:
            write_template(Kind(kind), file)
    except FileExistsError:
        raise InvalidOptionError(
            f"{path} existe déjà : donnez un autre nom avec --output, ou effacez-le."
        ) from None
    except OSError as error:
        raise InvalidOptionError(f"{path} ne peut pas être écrit ({fault(error)}).") from None
    typer.echo(str(path))


def mapping_of(path: Path | None) -> "Mapping":
    """The mapping of `--mapping`, or none. Raises InvalidOptionError."""
    from traverse_producers.tables.mapping import NO_MAPPING, read_mapping

    if path is None:
        return NO_MAPPING
    try:
        return read_mapping(path.read_bytes(), str(path))
    except OSError as error:
        raise InvalidOptionError(
            f"--mapping : {path} ne peut pas être lu ({fault(error)})."
        ) from None


def corrections_of(report: Report, mapping: "Mapping") -> Iterator[str]:
    """Write the copies of tables that say what to mend; one line for each."""
    from traverse_producers.files.read import is_table, is_workbook
    from traverse_producers.spreadsheets.corrections import UnwritableCopyError, write_corrections

    files = dict.fromkeys(problem.file for problem in report.problems)
    for name in files:
        if not (is_table(name) or is_workbook(name)) or not Path(name).is_file():
            continue
        problems = [problem for problem in report.problems if problem.file == name]
        try:
            copy = write_corrections(Path(name), problems, mapping)
        except UnwritableCopyError as error:
            yield str(error)
        else:
            if copy is not None:
                yield f"À corriger : {copy}"
