"""The least that NiceGUI can serve, in the same way as main.py does: what benchmarks/start.py measures against."""

import asyncio
import socket

import uvicorn
from fastapi import FastAPI
from nicegui import ui


class AnnouncedServer(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets
        print(f"Authkeys is running at http://127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)


def main() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @ui.page("/")
    def hello() -> None:
        ui.label("Hello")

    ui.run_with(app, binding_refresh_interval=None, tailwind=False, show_welcome_message=False)
    config = uvicorn.Config(app, log_level="warning", access_log=False)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        asyncio.Runner(loop_factory=config.get_loop_factory()) as runner,
    ):
        runner.run(AnnouncedServer(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
