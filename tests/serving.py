"""A service of ours in a thread of the test's own process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from traverse_infra.engines.waiting import wait_until
from traverse_search_api.server import listen


@contextmanager
def served(server: uvicorn.Server, *, ends_within: float = 60) -> Iterator[str]:
    """The address of a server, from when it has started; it must end within so many seconds."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert wait_until(lambda: server.started, timeout=120)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(ends_within)
            assert not thread.is_alive()
