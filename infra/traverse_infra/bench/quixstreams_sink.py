"""quixstreams' own Elasticsearch sink over a topic, as its documentation shows it.

A script for an environment that has quixstreams and nothing of ours:
`python quixstreams_sink.py CONFIG`, where CONFIG is JSON.
"""

import json
import sys

from quixstreams import Application  # type: ignore[import-not-found]
from quixstreams.sinks.community.elasticsearch import (  # type: ignore[import-not-found]
    ElasticsearchSink,
)


def main() -> None:
    """Run until told to stop."""
    config = json.loads(sys.argv[1])
    app = Application(
        broker_address=config["kafka"],
        consumer_group="traverse-bench-quixstreams",
        auto_offset_reset="earliest",
        state_dir=config["folder"],
        loglevel="WARNING",
        # Every so many messages or seconds: what is held goes to Elasticsearch, then is committed.
        commit_every=config["batch_size"],
        commit_interval=1.0,
    )
    sink = ElasticsearchSink(
        config["elasticsearch"], config["index"], batch_size=config["batch_size"]
    )
    topic = app.topic(config["topic"], value_deserializer="json", key_deserializer="str")
    app.dataframe(topic).sink(sink)
    app.run()


if __name__ == "__main__":
    main()
