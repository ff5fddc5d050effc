"""What only the staging of authkeys has: steps for all keys of an address, and what was long unused."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from models.addresses import canonical_ip
from models.amendments import Amendment, TextName, canonical_owner_or_note, first_texts
from models.authkeys import canonical_service
from models.errors import DuplicateAuthkey, RowNotFound
from models.staged_changes import StagedChanges
from models.staged_rows import Addition, NewKey, Wanted
from models.subjects import Row, Subject
from models.usage import QUIET_DAYS
from models.views import View
from services.authkeys import Authkeys
from services.staging import Staging
from services.submissions import Submissions
from services.uses import Uses


class AuthkeyStaging(Staging[View]):
    """Stages changes to authkeys."""

    def __init__(self, authkeys: Authkeys, submissions: Submissions, uses: Uses) -> None:
        super().__init__(Subject.AUTHKEY, authkeys, submissions)
        self._authkeys = authkeys
        self._uses = uses

    async def unused_marks(self, rows: Iterable[Row]) -> dict[int, int]:
        """The granted privileges of these authkeys, as sets, that were long unused."""
        return await self._uses.unused_marks(rows)

    async def stage_addition(
        self,
        admin_id: int,
        ip: str,
        service: str,
        privileges: int,
        texts: Mapping[TextName, str] = MappingProxyType({}),
    ) -> NewKey:
        """Stage that an authkey is made, with a secret that is shown when that is submitted, an owner and a note.

        Raises InvalidValue for a bad address or service, and DuplicateAuthkey if there is one, or it is staged already.
        """
        new = NewKey(canonical_ip(ip), canonical_service(service), issues=True)
        name = (new.ip, new.service)
        amendment = Amendment(texts=first_texts(_canonical(texts).items()))
        if await self._authkeys.named([name]):
            raise DuplicateAuthkey(
                f"{new.ip} already has an authkey for the service {new.service!r}. "
                "Change its privileges in the grid, or choose another service name."
            )

        def step(staged: StagedChanges) -> set[int]:
            if name in staged.additions:
                raise DuplicateAuthkey(
                    f"{new.ip} with the service {new.service!r} is staged already: it stands at the top of the grid."
                )
            return staged.stage_wanted(Wanted(additions=[Addition(new, privileges, amendment)]))

        await self.take_step(admin_id, step)
        return new

    async def stage_texts(self, admin_id: int, row_ids: Iterable[int], texts: Mapping[TextName, str]) -> int:
        """Stage the owner, the note or both of authkeys in one step; returns of how many.

        Raises InvalidValue for a text that is too long, RowNotFound and NotStaged.
        """
        known = _canonical(texts)
        ids = list(row_ids)
        rows = await self.shown.find(admin_id, ids)
        if not rows:
            raise RowNotFound("This authkey was removed in the meantime; nothing was staged for it.")
        return len(await self.take_step(admin_id, lambda staged: staged.stage_texts(rows.values(), known)))

    async def stage_removal_of_ip(self, admin_id: int, ip: str) -> int:
        """Stage the removal of all authkeys of an IP address in one step; returns of how many."""
        rows = await self._authkeys.of_ip(ip)
        return len(await self.take_step(admin_id, lambda staged: staged.stage_removal(rows)))

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


def _canonical(texts: Mapping[TextName, str]) -> dict[TextName, str]:
    return {name: canonical_owner_or_note(name, text) for name, text in texts.items()}
