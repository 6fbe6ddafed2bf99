"""The events that the benchmark repeats."""

from itertools import islice
from pathlib import Path

import pytest

from traverse_infra.bench.load import (
    NothingToMeasureError,
    another_system,
    read_load,
    repeated,
)
from traverse_infra.bench.passthrough import bulk_body
from traverse_infra.bench.searches import SearchFailedError, timing_of
from traverse_infra.demo.feeds import NothingToImportError
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.signing.sources import parse_source


@pytest.mark.parametrize("source", ["urn:siren:181300013", "urn:siren:181300013:decp-v2"])
def test_another_system_is_of_the_same_institution(source: str) -> None:
    """A repeated event comes from a source that is valid, and of the same SIREN."""
    assert parse_source(another_system(source, "b7")).siren == "181300013"


def test_each_repetition_is_a_record_of_its_own() -> None:
    """No opportunity comes twice, and the events themselves are not changed."""
    events = [
        {"source": source, "subject": subject, "type": "t"}
        for source in ("urn:siren:181300013", "urn:siren:181300013:a")
        for subject in ("1", "2")
    ]
    before = [dict(event) for event in events]
    found = list(islice(repeated(events), 40))
    assert len({opportunity_id(event["source"], event["subject"]) for event in found}) == 40
    assert events == before


def test_a_folder_without_known_files_is_told(tmp_path: Path) -> None:
    """There is nothing to measure with."""
    with pytest.raises((NothingToImportError, NothingToMeasureError)):
        read_load(tmp_path)


def test_bulk_body_pairs_action_and_document() -> None:
    """The document's octets go on untouched."""
    assert bulk_body([(b"a", b"{}")]) == [b'{"index":{"_id":"a"}}', b"{}"]


def test_engine_time_is_read_from_server_timing() -> None:
    """And its absence is told, rather than counted as nothing."""
    timing = timing_of("engine;dur=12, wait;dur=15.5, total;dur=18.0")
    assert (timing.engine, timing.wait, timing.own) == (12, 15.5, 2.5)
    for header in ("", "engine;dur=12"):
        with pytest.raises(SearchFailedError):
            timing_of(header)
