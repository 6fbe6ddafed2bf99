"""An index that Elasticsearch lost while Kafka remembers all: said, never replaced by an empty one,
and made anew from the log."""

import pytest
from elasticsearch import Elasticsearch

from tests.journey.harness import Journey, sent
from tests.stream_processors.factory import event
from traverse_infra.check.operation import lost_indices
from traverse_infra.reindex.rebuild import rebuild
from traverse_schemas.documents.index_mapping import ALIASES, PUBLIC_ALIAS
from traverse_stream_processors.app import EXIT_STOPPED

pytestmark = pytest.mark.engines


def lose(client: Elasticsearch) -> None:
    """What a new disk under Elasticsearch, or a wrong DELETE, leaves of the indices."""
    for alias in ALIASES.values():
        client.indices.delete(index=[*client.indices.get(index=f"{alias}-*").body])


def test_a_lost_index_stops_the_step_until_it_is_rebuilt(journey: Journey) -> None:
    before, after, last = (
        event(id=f"lost-{number}", subject=f"lost-{number}") for number in range(3)
    )
    journey.start()
    journey.publish(before)
    assert lost_indices(journey.kafka, journey.elasticsearch) == []
    journey.stop_step("index")
    with journey.client() as client:
        lose(client)
        assert lost_indices(journey.kafka, journey.elasticsearch) == [*ALIASES.values()]
        (index,) = journey.start("index")
        assert index.left() != 0
        assert "traverse reindex" in index.words
        assert not client.indices.exists(index=PUBLIC_ALIAS)
        journey.workers.remove(index)
        list(rebuild(journey.kafka, journey.elasticsearch))
        (index,) = journey.start("index")
        journey.publish(after)
        assert journey.document(before) is not None
        assert journey.document(after) is not None
        # Lost under the step at work: it leaves with its next batch, and makes no index by guess.
        lose(client)
        journey.send([sent(last)])
        assert index.left() == EXIT_STOPPED
        assert "traverse reindex" in index.words
        assert not client.indices.exists(index=PUBLIC_ALIAS)
        journey.workers.remove(index)
    list(rebuild(journey.kafka, journey.elasticsearch))
    journey.start("index")
    journey.settle()
    assert [journey.document(each) is not None for each in (before, after, last)] == [True] * 3
