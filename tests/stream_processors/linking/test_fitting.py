"""What many records say together fits into one message."""

from typing import Any

import orjson

from traverse_schemas.log.topics import OPPORTUNITIES, TOPICS
from traverse_stream_processors.linking.fitting import MOST_OCTETS, SHORTENED, fitting


def test_what_fits_stays_as_it_is() -> None:
    document = {"id": "a", "lots": [{"number": "1"}], "flags": ["x"]}
    assert fitting(document) is document


def test_whatever_is_too_large_is_cut_the_same_each_time_and_says_so() -> None:
    said = {"source": "urn:siren:211300553", "claims": [{"value": "z" * 2000}] * 20}
    whole: dict[str, Any] = {
        "id": "a",
        "title": "Marché",
        "lots": [{"number": str(number), "title": "y" * 400} for number in range(20_000)],
        "holders": [{"name": f"Entreprise {number}"} for number in range(50_000)],
        "sources": [{"source": "s", "subject": str(number)} for number in range(200)],
        "provenance": {f"field{number}": said for number in range(40)},
    }
    found = fitting(whole)
    assert len(orjson.dumps(found)) <= MOST_OCTETS
    assert found == fitting(whole)
    assert found["flags"] == [SHORTENED]
    assert found["lots"] == whole["lots"][: len(found["lots"])] != []
    assert len(found["sources"]) == 200
    assert "claims" not in found["provenance"]["field1"]
    assert "flags" not in whole


def test_a_message_has_room_for_the_largest_document() -> None:
    limit = next(
        topic.config["max.message.bytes"] for topic in TOPICS if topic.name == OPPORTUNITIES
    )
    assert int(limit) - MOST_OCTETS > 100_000
