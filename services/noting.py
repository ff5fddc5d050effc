"""What answers access checks tells of them, to whoever writes it down: `services.uses` itself, or a worker's parent."""

from typing import Protocol

from models.denials import Denial, Refused
from models.manage2_functions import Requirement
from models.privileges import Privilege
from models.tallies import AccessTally


class Noting(Protocol):
    """Who is told. Nothing here waits: a question never waits for a write."""

    tally: AccessTally
    """What is counted of it, for metrics"""

    def note_use(self, authkey_id: int, needs: Privilege | Requirement) -> None:
        """An authkey was let through."""

    def note_credentials(self, ip: str, what: str) -> None:
        """A call brought a key, right or wrong: what the same client asked without one was not denied."""

    def note_refused(self, refused: Refused) -> None:
        """A question was answered with no."""

    def note_denial(self, which: Denial) -> None:
        """Something else was refused, such as a registration."""
