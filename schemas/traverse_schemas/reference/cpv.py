"""The words of the CPV nomenclature: the official French label of each code.

Source: Publications Office of the European Union, CPV 2008 (Regulation (EC) No 213/2008); see
`data/README.md`.
"""

from functools import lru_cache

from traverse_schemas.reference.tables import read
from traverse_schemas.values.cpv import cpv_ancestors


def cpv_label(code: str) -> str | None:
    """The French label of an 8-digit code, or None when the nomenclature has no such code.

    The first call of a process reads the table (about 10 ms); raises BrokenReferenceError when it
    cannot.
    """
    return cpv_table().get(code)


@lru_cache(maxsize=20_000)
def cpv_labels_up(code: str) -> tuple[tuple[str, str], ...]:
    """(code, label) of the code and of all above it, up to the division; unknown ones left out.

    `"45233140"` gives `("45233140", "Travaux routiers")`, …, `("45000000", "Travaux de
    construction")`.
    """
    table = cpv_table()
    return tuple((step, table[step]) for step in cpv_ancestors(code) if step in table)


@lru_cache(maxsize=1)
def cpv_table() -> dict[str, str]:
    """The whole nomenclature, code -> label, in the order of the codes; not to be changed."""
    return read("cpv.json.gz")
