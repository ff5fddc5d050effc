"""How the server ends when it is told to."""

import signal

import pytest
import uvicorn

from web import server
from web.server import AnnouncedServer


async def answering() -> None:
    """Nobody is told."""


@pytest.fixture
def running() -> AnnouncedServer:
    return AnnouncedServer(uvicorn.Config("", log_config=None), answering)


def test_a_ctrl_c_that_arrives_twice_ends_the_server_in_order(running: AnnouncedServer) -> None:
    # `uv run` gets it from the terminal as its child does, and passes it on.
    running.handle_exit(signal.SIGINT, None)
    running.handle_exit(signal.SIGINT, None)
    assert running.should_exit
    assert not running.force_exit


def test_who_presses_ctrl_c_again_does_not_wait_for_order(
    running: AnnouncedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "SAME_SIGNAL_SECONDS", -1)
    running.handle_exit(signal.SIGINT, None)
    running.handle_exit(signal.SIGINT, None)
    assert running.force_exit


def test_the_first_signal_counts_whatever_the_clock_of_the_machine_says(
    running: AnnouncedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.time, "monotonic", lambda: 0.0)  # it has just been started
    running.handle_exit(signal.SIGTERM, None)
    assert running.should_exit
