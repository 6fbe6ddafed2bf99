"""Elasticsearch and Kafka, as the service asks them.

elasticsearch_client  the indices of a reader; the one module that knows the client
line                  how many questions an engine has at once, the others in their order
pulse                 whether an engine that does not answer is busy or away
spent                 where the time of a request goes
log_topic             which generation of a topic this is
"""
