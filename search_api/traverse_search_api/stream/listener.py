"""One stream as the hub sees it: what waits for its reader, and what it was told."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from traverse_search_api.changes.position import Position
from traverse_search_api.stream.message import Message, Refused

_MOST_NAMED: Final = 10_000  # restricted documents that one stream is remembered to know of


class Mark(Enum):
    """What stands in a queue beside messages: that the line lives, that the stream ends."""

    BEAT = "beat"
    END = "end"


@dataclass(eq=False, slots=True)
class Listener:
    """One stream; `start` is where it joined the others. `named` are the restricted documents that
    it was told of, the last one last; `heard` is when its reader last heard anything, in the
    seconds of the event loop."""

    start: Position
    queue: asyncio.Queue[Message | Refused | Mark] = field(default_factory=asyncio.Queue)
    named: dict[str, None] = field(default_factory=dict)
    heard: float = 0.0
    timer: asyncio.TimerHandle | None = None

    def beat(self, every: float) -> None:
        """From now on, say that the line lives when nothing else was said for so many seconds."""
        # One timer a stream: one for each wait costs as much as the message that ends it.
        loop = asyncio.get_running_loop()
        now = loop.time()
        rest = self.heard + every - now
        if rest <= 0:
            self.queue.put_nowait(Mark.BEAT)
            self.heard, rest = now, every
        self.timer = loop.call_later(rest, self.beat, every)

    async def sees(self, step: asyncio.Task[Any], every: float) -> bool:
        """Wait until a step is done; False where so many seconds have gone by since something was
        said, and it is not."""
        silent = asyncio.get_running_loop().time() - self.heard
        await asyncio.wait((step,), timeout=max(0.0, every - silent))
        return step.done()

    def told(self, message: Message) -> None:
        """Remember what this stream knows."""
        if message.restricted:
            self.named[message.change.id] = None
            if len(self.named) > _MOST_NAMED:
                del self.named[next(iter(self.named))]
        elif self.named:
            self.named.pop(message.change.id, None)
