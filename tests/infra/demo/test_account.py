"""What became of everything that was sent, by the log and the index together."""

from collections.abc import Iterator
from typing import Any, cast

import orjson
import pytest
from elasticsearch import Elasticsearch

from traverse_infra.demo import play
from traverse_infra.demo.accounts import Refusal
from traverse_infra.demo.tally import Fate, Sent
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import RECORDS


class Indices:
    def refresh(self, index: list[str]) -> None:
        """Nothing is held back here."""


class Client:
    """An index that holds what `fates` says."""

    indices = Indices()


def state(identity: str, life: str | None, *indices: str) -> dict[str, Any]:
    said = None if life is None else {"state": life}
    return {"id": identity, "life": said, "indices": list(indices)}


def sums_of(monkeypatch: pytest.MonkeyPatch, records: list[Any], shown: dict[str, Fate]) -> Any:
    """The sums of one source that sent an event of each record that is named, one after another."""

    def read_topic(bootstrap: str, topic: str) -> Iterator[LogMessage]:
        assert topic == RECORDS
        for offset, one in enumerate(records):
            value = orjson.dumps(one) if one else None
            yield LogMessage(topic, 0, offset, 0, b"", value, {})

    def no_refusals(bootstrap: str) -> list[Refusal]:
        return []

    monkeypatch.setattr(play, "read_topic", read_topic)
    monkeypatch.setattr(play, "refusals", no_refusals)
    monkeypatch.setattr(play, "fates", lambda client, ids: dict(shown))
    names = dict.fromkeys(one["id"] for one in records if one)
    sent = [Sent("s", name, f"traverse.inbound/0@{at}") for at, name in enumerate(names)]
    return play.account("", cast(Elasticsearch, Client()), sent).sums["s"]


def test_what_was_erased_before_it_was_shown_is_withdrawn_and_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It leaves a state without indices on the log, and nothing in any index."""
    records = [state("seen", "active", "public"), state("erased", "withdrawn"), None]
    found = sums_of(monkeypatch, records, {"seen": Fate.SEARCHABLE})
    assert (found.events, found.taken, found.lost) == (2, 2, 0)
    assert found.records == {Fate.SEARCHABLE: {"seen"}, Fate.WITHDRAWN: {"erased"}}


def test_only_the_last_word_on_a_record_makes_it_withdrawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What should be in an index and is not is lost, whatever was said of it before."""
    records = [
        state("back", "withdrawn"),
        state("back", "active"),
        state("known", None),
        state("indexed", "withdrawn", "public"),
    ]
    found = sums_of(monkeypatch, records, {})
    assert (found.taken, found.lost) == (0, 3)
