"""The real files: exact sums by file and reason, every event valid, nobody's contact in any."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.producers.importers.checks import CONTEXT, check
from traverse_producers.importers.contract import Dropped, Imported
from traverse_producers.importers.registry import IMPORTERS

pytestmark = [pytest.mark.realdata, pytest.mark.long]

CLOSED, UPDATED, PUBLISHED = (
    f"fr.traverse.call.{what}.v1" for what in ("closed", "updated", "published")
)


def results_of(feed: str, *paths: Path) -> Iterator[Imported | Dropped]:
    for path in paths:
        with path.open("rb") as stream:
            yield from IMPORTERS[feed](stream, path.name, CONTEXT)


def sums(results: list[Imported | Dropped]) -> dict[str, int]:
    """How many events of each type, how many duplicates, how many drops by reason's beginning."""
    counts = Counter(
        result.event["type"]
        if isinstance(result, Imported)
        else "duplicate"
        if result.duplicate
        else result.sentence.split(" (")[0]
        for result in results
    )
    return dict(counts)


@pytest.mark.parametrize(
    ("feed", "path", "expected"),
    [
        ("decp", "decp/marches-publics.info.json", {CLOSED: 4509, UPDATED: 88}),
        ("decp", "decp/data.gouv.fr_pes.json", {CLOSED: 1146, UPDATED: 8, "duplicate": 2}),
        ("decp", "decp-v2/concessions.json", {CLOSED: 2}),
        ("decp", "decp-v2/concessions_avec_modifications.json", {CLOSED: 2, UPDATED: 2}),
        ("decp", "decp-v2/marches_avec_modifications.json", {CLOSED: 2, UPDATED: 2}),
        ("decp", "decp-v2/marches_concessions.json", {CLOSED: 4, UPDATED: 4}),
        ("decp", "decp-v2/Marche.xml", {CLOSED: 1, "duplicate": 1}),
        ("decp", "decp-v2/Contrat-concession.xml", {CLOSED: 1, "duplicate": 1}),
        (
            "fonds-vert",
            "fonds-vert/fonds-vert-2023-export.csv",
            {"fr.traverse.project.published.v1": 10782},
        ),
    ],
)
def test_every_row_of_a_file_ends_somewhere(
    feed: str, path: str, expected: dict[str, int], shared_data: Path
) -> None:
    """Each row is an event or a reported drop, valid, placed, and without contact details."""
    results = list(results_of(feed, shared_data / path))
    check(results)
    assert sums(results) == expected


def test_every_ted_notice_ends_somewhere(shared_data: Path) -> None:
    """Of the 702 notices, those of France are events; the others say why they are not."""
    results = list(results_of("ted", *sorted((shared_data / "ted").glob("*.xml"))))
    assert len(results) == 702
    check(results)
    assert sums(results) == {
        PUBLISHED: 344,
        CLOSED: 276,
        "L'acheteur": 81,
        "Ce fichier est un avis eForms": 1,
    }


def test_every_eforms_notice_ends_somewhere(shared_data: Path) -> None:
    """The 20 notices, old TED XML among them; a correction's or an award's call is the same."""
    results = list(results_of("eforms", *sorted((shared_data / "eforms").glob("*.xml"))))
    assert len(results) == 20
    check(results)
    assert sums(results) == {
        PUBLISHED: 9,
        CLOSED: 7,
        "L'avis eForms n'a ni identifiant de procédure": 2,
        "L'acheteur": 2,
    }
    subjects = Counter(r.event["subject"] for r in results if isinstance(r, Imported))
    assert [subject for subject, times in subjects.items() if times > 1] == [
        "e3cdabf1-e057-47a5-9210-b1f6fc757228"  # Rouen Habitat's call, and its award
    ]


def test_a_file_read_again_is_the_same_events(shared_data: Path) -> None:
    """The same octets give the same results, so that an import may be repeated."""
    path = shared_data / "decp/data.gouv.fr_pes.json"
    assert list(results_of("decp", path)) == list(results_of("decp", path))


def test_subjects_tell_contracts_apart(shared_data: Path) -> None:
    """Numbers repeat in this file, for lots and for other contracts; subjects do not."""
    results = results_of("decp", shared_data / "decp/marches-publics.info.json")
    closed = [
        result.event["subject"]
        for result in results
        if isinstance(result, Imported) and result.event["type"] == CLOSED
    ]
    assert len(closed) == len(set(closed)) == 4509
