"""The list of synonyms changes while the service runs, and never for the worse."""

import os
from pathlib import Path

import pytest

from traverse_schemas.french.synonyms import SynonymsError, conflate
from traverse_search_api.words.synonym_book import SynonymBook


class Time:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1_000_000))


def test_a_changed_file_is_in_force_within_seconds(tmp_path: Path) -> None:
    """Without reindexing and without a restart."""
    path, time = tmp_path / "synonymes.txt", Time()
    write(path, "mairie, hôtel de ville")
    book = SynonymBook(path, time)
    assert book.meanings()["mairi"] == ("hôtel de ville",)
    write(path, "mairie, maison commune")
    time.seconds = 6
    assert book.meanings()["mairi"] == ("maison commune",)


def test_a_fault_changes_nothing(tmp_path: Path) -> None:
    """The last good list stays; at the start there is none, and the sentence says why."""
    path, time = tmp_path / "synonymes.txt", Time()
    write(path, "mairie, hôtel de ville")
    book = SynonymBook(path, time)
    write(path, "mairie, mairie")
    time.seconds = 6
    assert book.meanings()["mairi"] == ("hôtel de ville",)
    with pytest.raises(SynonymsError, match="écrit deux fois"):
        SynonymBook(path)
    with pytest.raises(SynonymsError, match="TRAVERSE_SYNONYMS"):
        SynonymBook(tmp_path / "absent.txt")


def test_the_products_own_list_is_the_default() -> None:
    assert "gymnase" in SynonymBook().meanings()[conflate("salle multisport")]


def test_who_searches_culture_finds_what_is_cultural() -> None:
    """Their stems differ; « culturel » alone does not find the cultures of a field."""
    meanings = SynonymBook().meanings()
    assert "culturel" in meanings[conflate("culture")]
    assert conflate("culturel") not in meanings
