"""Staging steps that only authkeys have: for all keys of an address or of a view, and for what was long unused."""

from models.privileges import Privilege
from models.subjects import Subject
from models.usage import QUIET_DAYS
from models.views import View
from services.authkeys import Authkeys
from services.staging import Staging
from services.submissions import Submissions
from services.uses import Uses


class AuthkeyStaging(Staging):
    """Stages changes to authkeys."""

    def __init__(self, authkeys: Authkeys, submissions: Submissions, uses: Uses) -> None:
        super().__init__(Subject.AUTHKEY, authkeys, submissions)
        self._authkeys = authkeys
        self._uses = uses

    async def stage_removal_of_ip(self, admin_id: int, ip: str) -> int:
        """Stage the removal of all authkeys of an IP address in one step; returns how many authkeys it has."""
        rows = await self._authkeys.of_ip(ip)
        await self.take_step(admin_id, lambda staged: staged.stage_removal(rows))
        return len(rows)

    async def stage_view(self, admin_id: int, view: View, privilege: Privilege | None, granted: bool) -> int:
        """Stage one privilege, or the removal (None), of all authkeys of a view in one step; returns how many."""
        rows = await self._authkeys.matching(view, admin_id)
        if privilege is None:
            return len(await self.take_step(admin_id, lambda staged: staged.stage_removal(rows)))
        return len(await self.take_step(admin_id, lambda staged: staged.stage_all(rows, privilege, granted)))

    async def revoke_unused(self, admin_id: int, view: View) -> int:
        """Stage, in one step, the revocation of what the authkeys of a view were not used for; returns of how many."""
        rows = await self._authkeys.matching(view, admin_id)
        masks = await self._uses.unused(rows, view.unused_days or QUIET_DAYS[0])
        return len(
            await self.take_step(
                admin_id, lambda staged: staged.revoke([row for row in rows if row.id in masks], masks)
            )
        )

    async def count_unused(self, admin_id: int, view: View) -> tuple[int, int]:
        """How many changes `revoke_unused` would stage, and for how many authkeys."""
        rows = await self._authkeys.matching(view, admin_id)
        masks = await self._uses.unused(rows, view.unused_days or QUIET_DAYS[0])
        return sum(mask.bit_count() for mask in masks.values()), len(masks)
