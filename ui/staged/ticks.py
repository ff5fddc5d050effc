"""The ticks of one window: taken in the order in which they were made, each once, and kept by the browser until then."""

from collections.abc import Awaitable, Callable

from models.errors import AuthkeysError, DatabaseUnavailable
from ui.shell.feedback import show_bug, show_error
from ui.staged.claims import Tick


class Ticks:
    """Takes them; `stage` stages one, `undraw` shows again what is so for a row whose tick was refused."""

    def __init__(self, *, stage: Callable[[Tick], Awaitable[None]], undraw: Callable[[int], Awaitable[None]]) -> None:
        self._stage = stage
        self._undraw = undraw
        self._told_unstored = False
        self.last = 0
        """The sequence number of the latest one that was stored or refused"""

    async def take(self, tick: Tick) -> None:
        """Take a tick if it is the next; one that comes too early the browser sends again. Raises DatabaseUnavailable once."""
        if tick.sequence != self.last + 1:
            return
        try:
            await self._stage(tick)
        except DatabaseUnavailable as error:
            # Not taken, so not acknowledged: the browser keeps the tick, and those after it, and sends them again.
            if not self._told_unstored:
                self._told_unstored = True
                raise DatabaseUnavailable(f"{error} The tick is kept and will be sent again.") from error
            return
        except AuthkeysError as error:
            show_error(str(error))
            await self._undraw(tick.row_id)
        except Exception as bug:
            show_bug(bug)
        self._told_unstored = False
        self.last = tick.sequence
