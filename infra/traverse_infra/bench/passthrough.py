"""A bare Faust worker: takes documents from a topic, bulks them untouched, acknowledges.

What Faust and Elasticsearch allow at most with the pattern that loses nothing, to hold the
pipeline against. Run as a process of its own: `python -m traverse_infra.bench.passthrough CONFIG`,
where CONFIG is JSON with kafka, elasticsearch, topic, index, folder, batch_size and batch_wait.
"""

import gc
import os
import sys
from typing import Any

import faust
import orjson
from elasticsearch import AsyncElasticsearch, OrjsonSerializer

from traverse_stream_processors.fetching import fetch_promptly

NAME = "traverse-bench-passthrough"


def passthrough_app(config: dict[str, Any]) -> faust.App:
    """The app, with the settings of the pipeline's own (`traverse_stream_processors.app`)."""
    app = faust.App(
        NAME,
        broker=f"kafka://{config['kafka']}",
        datadir=config["folder"],
        store="memory://",
        key_serializer="raw",
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=10,
        broker_heartbeat_interval=2,
        broker_commit_interval=1.0,
        stream_buffer_maxsize=2 * config["batch_size"],
        stream_wait_empty=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )
    fetch_promptly(app)
    client = AsyncElasticsearch(config["elasticsearch"], serializer=OrjsonSerializer())
    index = config["index"]

    @app.agent(app.topic(config["topic"], value_serializer="raw"), name=NAME)
    async def step(stream: Any) -> None:
        async for batch in stream.noack_take(config["batch_size"], within=config["batch_wait"]):
            body = bulk_body([(event.message.key, event.message.value) for event in batch])
            answer = await client.bulk(index=index, operations=body, filter_path="errors")
            if answer["errors"]:
                # A measurement that lost something is none.
                os._exit(70)
            for event in batch:
                event.ack()

    return app


def bulk_body(documents: list[tuple[bytes, bytes]]) -> list[Any]:
    """The lines of a bulk, from (id, JSON) pairs."""
    body: list[Any] = []
    for identity, document in documents:
        body += (b'{"index":{"_id":"%s"}}' % identity, document)
    return body


def main() -> None:
    """Run until told to stop."""
    app = passthrough_app(orjson.loads(sys.argv[1]))
    sys.argv = [NAME, "worker"]
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    faust.Worker(
        app, loglevel="WARN", redirect_stdouts=False, quiet=True
    ).execute_from_commandline()


if __name__ == "__main__":
    main()
