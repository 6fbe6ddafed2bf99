"""What a demonstration says of linking."""

import orjson

from traverse_infra.demo.linked import count_lines, merged_lines
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import LINKS, OPPORTUNITIES


def message(topic: str, key: str, value: object) -> LogMessage:
    octets = None if value is None else orjson.dumps(value)
    return LogMessage(topic, 0, 0, 0, key.encode(), octets, {})


def test_the_merged_are_told_with_their_reason() -> None:
    document = {
        "id": "a",
        "stub": False,
        "title": "Voirie",
        "sources": [{"subject": "V-1"}, {"subject": "26-1"}],
        "merged": [{"reason": "Même dossier : même référence."}],
    }
    alone = {"id": "b", "stub": False, "title": "École", "sources": [{"subject": "E-1"}]}
    found = merged_lines(
        [
            message(OPPORTUNITIES, "a", {"document": alone}),
            message(OPPORTUNITIES, "a", {"document": document}),
            message(OPPORTUNITIES, "b", {"document": alone}),
        ]
    )
    assert list(found) == [
        "Regroupés : 2 dossiers en 1 publications.",
        "  « Voirie » (V-1, 26-1)",
        "    Même dossier : même référence.",
    ]


def test_links_that_ended_are_not_counted() -> None:
    lot = {"type": "lot"}
    found = count_lines(
        [message(LINKS, "a b", lot), message(LINKS, "a c", lot), message(LINKS, "a b", None)]
    )
    assert list(found) == ["Liens « lots d'une consultation » : 1"]
