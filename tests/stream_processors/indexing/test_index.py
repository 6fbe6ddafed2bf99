"""What an answer of Elasticsearch means, item by item, and what is sent to it."""

from typing import Any

import orjson
import pytest

from tests.documents import document
from traverse_schemas.documents.document import OpportunityMessage, Stub
from traverse_stream_processors.indexing.index import Verdict, operations, verdict


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (200, Verdict.DONE),
        (201, Verdict.DONE),
        (409, Verdict.DONE),
        (400, Verdict.REFUSED),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (503, Verdict.RETRY),
        (401, Verdict.STOP),
        (403, Verdict.STOP),
        (404, Verdict.STOP),
    ],
)
def test_each_status_has_one_meaning(status: int, meaning: Verdict) -> None:
    assert verdict({"status": status}) is meaning


def test_an_index_that_takes_no_write_for_a_moment_is_asked_again() -> None:
    """A rebuild holds it while the aliases move."""
    held = {"status": 403, "error": {"type": "cluster_block_exception"}}
    assert verdict(held) is Verdict.RETRY
    assert verdict({"status": 403, "error": {"type": "security_exception"}}) is Verdict.STOP


def test_the_offset_is_the_version_and_other_indices_get_a_stub() -> None:
    message = OpportunityMessage(
        id="abc", index="buyers", stubs=["public"], document=Stub(id="abc", stub=True)
    )
    first, second = operations(message, b'{"id":"abc"}', 42)
    assert orjson.loads(first.action)["index"] == {
        "_index": "traverse-buyers",
        "_id": "abc",
        "version": 42,
        "version_type": "external",
        "require_alias": True,
    }
    assert first.body == b'{"id":"abc"}'
    assert orjson.loads(second.action)["index"]["_index"] == "traverse-public"
    assert orjson.loads(second.body) == {"id": "abc", "stub": True}


def _body(language: str) -> Any:
    said: Any = document("1", "Wartung", owner="Stadt Straßburg", language=language)
    message = OpportunityMessage(id="abc", index="public", stubs=[], document=said)
    (operation,) = operations(message, b"as on the log", 1)
    return orjson.loads(operation.body)


def test_another_language_is_indexed_with_its_words_and_all_with_what_facets_count() -> None:
    """French documents have no words twice; German is read as German, its owner included."""
    assert "texts" not in _body("fr")
    assert "texts" not in _body("xx")
    german = _body("de")
    assert german["counted"]["departments"] == ["dep:13"]
    assert german["title"] == "Wartung"
    assert german["texts"] == {"de": "Wartung\nStadt Straßburg\nMarseille"}
