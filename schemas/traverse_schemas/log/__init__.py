"""What lies on Kafka, and under which keys.

topics           every topic, with its settings
identity         keys, partitions, ids, versions
message          one of them, as it is read
record_state     the last state of each record
receipts         the trace of one event
compacted_table  a table whose truth is a topic
compacted_topic  the topic under it
table_rows       its rows, as models
kafka_producer   a producer that outlives any outage
engine_access    how clients are let in, by Kafka and by Elasticsearch
pauses           between attempts
"""
