"""The last admin who can come in stays one, whoever asks and however many at once; on both databases."""

import asyncio

import pytest

from models.accounts import AdminIdentity, Role
from models.errors import NotAllowed
from models.tables import Admin
from services.console import Console, open_console
from storage.database import DatabaseLocation
from tests.other_process import another_process
from tests.support import came_in

LAST = "is the last admin who can sign in"


async def with_password(name: str, role: Role = Role.ADMIN) -> AdminIdentity:
    """An account that has some password: which one does not matter here."""
    row = await Admin.create(name=name, role=role, password_hash="of some password")
    return AdminIdentity(row.id, name, role)


async def those_who_can(console: Console) -> set[str]:
    accounts = await console.admins.accounts()
    return {each.name for each in accounts if each.has_password and not each.disabled and each.role is Role.ADMIN}


async def test_the_last_one_can_be_neither_disabled_nor_demoted_nor_reset_nor_erased(console: Console) -> None:
    await with_password("dana")
    await with_password("ada", Role.AUDITOR)
    await console.invitations.invite("eve", Role.ADMIN, console.admin)  # has not chosen a password yet
    for change in (
        console.admins.set_disabled("dana", True, "the command line"),
        console.admins.set_role("dana", Role.AUDITOR, "the command line"),
        console.invitations.reset("dana", console.admin),
        console.admins.erase_name("dana", "the command line"),
    ):
        with pytest.raises(NotAllowed, match=LAST):
            await change
    await console.admins.set_disabled("ada", True, console.admin)
    await console.admins.set_disabled("eve", True, console.admin)
    assert await those_who_can(console) == {"dana"}


async def test_one_who_came_in_by_a_launch_link_can_come_in(console: Console) -> None:
    await with_password("dana")
    await came_in(console)
    await console.admins.set_disabled("dana", True, console.admin)
    with pytest.raises(NotAllowed, match=LAST):
        await console.admins.set_role(console.admin.name, Role.AUDITOR, "the command line")


async def test_two_admins_who_take_each_others_rights_at_once_do_not_both(console: Console) -> None:
    for turn in range(5):
        one, other = await with_password(f"dana{turn}"), await with_password(f"eve{turn}")
        done = await asyncio.gather(
            console.admins.set_disabled(other.name, True, one),
            console.admins.set_role(one.name, Role.AUDITOR, other),
            return_exceptions=True,
        )
        assert [type(each) for each in done if each is not None] == [NotAllowed]
        (left,) = await those_who_can(console)
        await Admin.filter(name=left).update(disabled=True)


async def demote(console: Console, name: str) -> str:
    try:
        await console.admins.set_role(name, Role.AUDITOR, "the command line")
    except NotAllowed:
        return "refused"
    return "done"


async def test_nor_do_two_servers_on_one_database(postgres_database: DatabaseLocation) -> None:
    async with open_console(postgres_database) as console, another_process(postgres_database) as other:
        for turn in range(5):
            await with_password(f"dana{turn}")
            await with_password(f"eve{turn}")
            here, there = await asyncio.gather(demote(console, f"dana{turn}"), other.do(demote, f"eve{turn}"))
            assert sorted([here, there]) == ["done", "refused"]
            await Admin.filter(name__in=[f"dana{turn}", f"eve{turn}"]).update(disabled=True)
