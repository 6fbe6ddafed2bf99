"""The names of importers are a contract with users and scripts."""

from traverse_producers.importers.registry import IMPORTERS


def test_names() -> None:
    """The command line's names, and what they run."""
    assert set(IMPORTERS) == {"boamp", "decp", "eforms", "ocds", "ted", "fonds-vert"}
    assert IMPORTERS["fonds-vert"].__name__ == "import_fonds_vert"
