"""What this server asks for beyond a password, where it matters: at scripts, submissions and changes of accounts."""

from datetime import UTC, datetime

from models.errors import FactorNeeded
from models.four_eyes import OFF, FourEyes
from models.plans import Plan
from models.second_factors import FactorPolicy, hands_out_manage, is_recent
from models.submissions import Source
from storage import second_factors
from storage.transactions import Connection


class Proofs:
    """Asks whether who does something has shown, recently and in this session, who that is."""

    def __init__(self, policy: FactorPolicy = FactorPolicy(), four_eyes: FourEyes = OFF) -> None:  # noqa: B008 - it never changes
        self.policy = policy
        self.four_eyes = four_eyes

    async def is_password_enough(self, admin_id: int) -> bool:
        """Whether this account comes in with its password alone, as scripts have it."""
        return not self.policy.required and not await second_factors.has_any(admin_id)

    async def require_for_plan(self, db: Connection, plan: Plan, source: Source, session_id: int | None) -> None:
        """Raise FactorNeeded if a plan hands out Manage Authkeys, the policy asks for a proof, and there is none.

        What no session asks for is refused too, but for a server that registers: it gets what a phrase has, and to give that
        to the phrase was a submission. The command line does not ask: its console has no policy.
        """
        if self.policy.fresh and source is not Source.REGISTERED and hands_out_manage(plan):
            await self._require(
                session_id, "hand out Manage Authkeys", "Nothing was submitted; what you staged is kept.", db
            )

    async def require_fresh(
        self, session_id: int | None, what: str = "change an account", db: Connection | None = None
    ) -> None:
        """Raise FactorNeeded if the policy asks for a second factor within the last 5 minutes, and there was none."""
        if self.policy.fresh:
            await self._require(session_id, what, "Nothing was changed.", db)

    async def _require(self, session_id: int | None, what: str, so: str, db: Connection | None = None) -> None:
        proof = await second_factors.proof_of(session_id, db) if session_id is not None else None
        if proof is None or not is_recent(proof.factor_at, datetime.now(UTC)):
            raise FactorNeeded(
                f"To {what}, confirm with your second factor that it is you; that holds for 5 minutes. {so}"
            )
