"""The local engines: a real Kafka and a real Elasticsearch, from Maven artifacts, as processes.

`runner.Engines` is the door. `pom.xml` and `plugin/` lie here so that a wheel carries them.
"""
