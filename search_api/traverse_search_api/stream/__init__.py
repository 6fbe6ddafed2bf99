"""Streams: the changes of a search, as they come.

routes    `GET /v1/stream`
hub       reads the changes once for all streams
lookout   what the indices say of changed documents
listener  one stream, and what waits for its reader
message   what it says: Server-Sent Events, NDJSON
answer    as an HTTP answer, for as long as its reader takes it
place     one of those of its caller
"""
