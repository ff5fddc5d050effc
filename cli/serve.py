"""What serving does, in order: open the database, listen, say where, show the page, answer until it is told to end."""

import asyncio
import gc
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from api.gateway import Backend
from api.stub_backend import stub_backend
from cli.application import build_app
from cli.launch import Display, launch_link, show, show_running
from cli.logs import set_up_logs
from cli.operations import metrics_settings, operated
from cli.serving import serving_of
from cli.settings import Settings
from cli.single_sign_on import provider_settings
from models.errors import InvalidValue, NotAllowed
from models.four_eyes import FourEyes
from models.proxies import TrustedProxies
from models.second_factors import FactorPolicy
from services import demo
from services.console import Console, open_console
from services.running import Running
from ui.desktop.opening import require_native
from web.server import AnnouncedServer, Serving
from web.service_manager import ServiceManager


async def serve(settings: Settings) -> None:
    """Serve until the program is told to end. Raises AuthkeysError for what stands in the way, with words."""
    set_up_logs(settings.log_format, access_log=settings.access_log)
    serving = serving_of(settings)
    display = Display.WINDOW if settings.native else Display.NOT if settings.no_browser else Display.BROWSER
    if settings.native:
        require_native(serving.is_desktop)
    serving.check_certificate()
    manager = ServiceManager()
    metrics = metrics_settings(settings)
    provider = provider_settings(settings)
    gc.freeze()  # what was imported stays
    async with AsyncExitStack() as stack:
        if settings.demo:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="authkeys-demo-"))
            demo_database = {"database": str(Path(folder) / "demo.db"), "secret_file": None}
            settings = settings.model_copy(update=demo_database)
        running = Running(settings.location.companion("server"), is_needed=not settings.location.is_postgres)
        if not stack.enter_context(running.held()) and serving.is_desktop:
            await show_running(settings, display)
            return
        console = await stack.enter_async_context(
            open_console(
                settings.location,
                settings.secret_file,
                settings.checkpoint_file,
                is_demo=settings.demo,
                provider=provider,
                factor_policy=_factor_policy(settings),
                four_eyes=_four_eyes(settings),
            )
        )
        await _require_order(console, serving)
        if settings.demo:
            colleague = await demo.fill(console)
            loop = {"colleague": lambda: demo.work_as_colleague(console, colleague)}
            await stack.enter_async_context(console.supervisor.keeping(loop))
        if manager.watchdog_seconds:
            await stack.enter_async_context(console.supervisor.keeping({"watchdog": manager.feed_watchdog}))
        proxies = TrustedProxies(settings.trusted_proxy)
        around = await stack.enter_async_context(operated(console, metrics, proxies, access_log=settings.access_log))
        backend = _backend(settings)
        if backend:
            await stack.enter_async_context(backend.open())
        listener = stack.enter_context(serving.listen())
        port = listener.getsockname()[1]
        if serving.port not in (0, port):
            print(f"Port {serving.port} is taken; using {port} instead.", file=sys.stderr, flush=True)
        url = serving.url(port)

        async def answering() -> None:
            running.announce(url)
            manager.ready(f"Answering at {url}")
            if serving.is_desktop:
                print(f"Authkeys is running at {await launch_link(console, url)}", flush=True)
                showing.add(asyncio.create_task(show(console, url, display, server.stop)))
            else:
                print(f"Authkeys is running at {url}", flush=True)

        showing: set[asyncio.Task[None]] = set()
        server = AnnouncedServer(serving.config(), answering, manager.stopping)
        server.config.app = around(
            build_app(
                console,
                serving,
                closing=stack.pop_all(),
                stop=server.stop if serving.is_desktop else None,
                backend=backend,
            )
        )
    await server.serve(sockets=[listener])
    await _end(showing)


async def _require_order(console: Console, serving: Serving) -> None:
    """What was left by a start with other options is put in order. Raises NotAllowed if everybody could come in."""
    if not console.submissions.four_eyes.is_on:
        await console.approvals.give_all_back()
    if not serving.is_desktop and not await console.admins.has_accounts():
        raise NotAllowed(
            "Others can reach this address, and nobody has a password yet. Make an account first: "
            + console.command("admin add NAME")
        )


async def _end(showing: set[asyncio.Task[None]]) -> None:
    """Close what still shows the page. Raises what went wrong with it."""
    for task in showing:
        task.cancel()
    for result in await asyncio.gather(*showing, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


def _factor_policy(settings: Settings) -> FactorPolicy:
    policy = FactorPolicy(settings.require_second_factor, settings.fresh_second_factor)
    if settings.demo and policy != FactorPolicy():
        raise InvalidValue(
            "--demo has no accounts to protect: leave out --require-second-factor and --fresh-second-factor."
        )
    return policy


def _four_eyes(settings: Settings) -> FourEyes:
    if "four_eyes_removals" in settings.model_fields_set and not settings.four_eyes:
        raise InvalidValue("--four-eyes-removals belongs to --four-eyes: without that nothing waits for another admin.")
    return FourEyes(settings.four_eyes, settings.four_eyes_removals)


def _backend(settings: Settings) -> Backend | None:
    if settings.backend:
        return Backend(settings.backend)
    if not settings.demo:
        return None
    import httpx  # noqa: PLC0415 - takes its time, and is needed with a backend only

    return Backend("http://demo", httpx.ASGITransport(stub_backend()))
