"""Which index an alias needs, without Elasticsearch."""

import pytest
from elasticsearch import Elasticsearch

from traverse_infra.errors import EngineAwayError, IndexLostError, IndexMismatchError
from traverse_infra.indices import Generation, missing_aliases, new_name, plan_index

_WANTED = Generation("5934C353-e071-42bf-8429-cfd1074cdf19", "345b40f5")
_NAME = "a-5934c353-345b40f5"


def test_nothing_yet_makes_an_index_named_by_its_generation() -> None:
    assert plan_index("a", _WANTED, {}, [], begun=False) == _NAME


def test_an_index_that_is_gone_is_not_made_anew_empty() -> None:
    """The steps would go on from where they were, and an almost empty view look whole."""
    with pytest.raises(IndexLostError) as raised:
        plan_index("a", _WANTED, {}, [], begun=True)
    assert "traverse reindex" in str(raised.value)


def test_the_right_index_needs_nothing() -> None:
    assert plan_index("a", _WANTED, {_NAME: _WANTED.meta}, [_NAME], begun=True) is None


@pytest.mark.parametrize(
    ("meta", "why"),
    [
        ({"topic_id": "other", "fingerprint": "345b40f5"}, "un autre journal"),
        ({"topic_id": _WANTED.topic_id, "fingerprint": "0"}, "une autre version du schéma"),
        ({}, "un autre journal"),
    ],
)
def test_an_index_of_another_generation_asks_for_a_reindex(meta: dict[str, str], why: str) -> None:
    with pytest.raises(IndexMismatchError, match=why) as raised:
        plan_index("a", _WANTED, {"a-old": meta}, ["a-old"], begun=False)
    assert "traverse reindex" in str(raised.value)


def test_an_alias_on_two_indices_is_refused() -> None:
    with pytest.raises(IndexMismatchError, match="plusieurs index"):
        plan_index(
            "a", _WANTED, {_NAME: _WANTED.meta, "a-2": _WANTED.meta}, [_NAME, "a-2"], begun=False
        )


def test_an_index_with_the_name_of_the_alias_is_refused() -> None:
    with pytest.raises(IndexMismatchError, match="comme l’alias"):
        plan_index("a", _WANTED, {"a": {}}, [], begun=False)


def test_a_rebuild_takes_the_next_free_name() -> None:
    assert new_name("a", _WANTED, {_NAME: {}}) == f"{_NAME}-2"
    assert new_name("a", _WANTED, {_NAME: {}, f"{_NAME}-2": {}}) == f"{_NAME}-3"


def test_an_elasticsearch_that_is_away_is_named_by_its_address() -> None:
    """Not by what each try met."""
    with (
        Elasticsearch("http://127.0.0.1:1", max_retries=2) as client,
        pytest.raises(EngineAwayError, match=r"à l’adresse http://127\.0\.0\.1:1 \(Connection"),
    ):
        missing_aliases(client)
