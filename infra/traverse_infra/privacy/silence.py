"""Takes from the log what people wrote about records that are erased now, in their words on links
and groupings: each is written again without its text, under its own key."""

import asyncio

from traverse_infra.check.erased import erased_records, named_erased
from traverse_infra.check.words import silenced, word_in, word_tells
from traverse_infra.log.reading import read_topic
from traverse_schemas.log.topics import ACCEPTED, RECORDS
from traverse_schemas.signing.signatures import SIGNATURE_HEADER
from traverse_stream_processors.log import LogWriter, Message


def silence(bootstrap: str) -> int:
    """Silence the words on all erased records; gives how many were. Doing it again finds nothing.

    The signature is of the whole text and goes with it: what was accepted is never judged again
    (decision 5). Raises EngineAwayError.
    """
    erased = erased_records(read_topic(bootstrap, RECORDS))
    found: dict[bytes, Message] = {}
    for message in read_topic(bootstrap, ACCEPTED) if erased else ():
        event = word_in(message.value)
        one = named_erased(event, erased) if event else None
        if event is None or one is None or not word_tells(event, one.until):
            found.pop(message.key, None)
            continue
        headers = tuple(
            (name, value) for name, value in message.headers.items() if name != SIGNATURE_HEADER
        )
        found[message.key] = Message(
            ACCEPTED, message.partition, message.key, silenced(event), headers
        )
    if found:
        asyncio.run(_write(bootstrap, list(found.values())))
    return len(found)


async def _write(bootstrap: str, messages: list[Message]) -> None:
    writer = LogWriter(bootstrap)
    await writer.start()
    try:
        await writer.write(messages)
    finally:
        await writer.stop()
