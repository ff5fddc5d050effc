"""The stub licensing backend as a server of its own, for what stands in front of it."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from api.stub_backend import stub_backend


@contextmanager
def running_backend() -> Iterator[int]:
    """Run it in a thread; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(stub_backend(), log_config=None))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()
