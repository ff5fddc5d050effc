"""Settings without a browser: what each section shows, who may do what there, and what an open page hears."""

import pytest
from nicegui import ElementFilter, ui
from nicegui.elements.mixins.text_element import TextElement
from nicegui.testing import User, UserInteraction

from models.accounts import AdminIdentity, Role
from models.history import EntryKind
from models.tables import Admin, Entry, Invitation
from services.console import Console
from storage.database import DatabaseLocation
from tests.page import is_told, says, sign_in, text
from tests.support import an_admin, came_in
from tests.waiting import comes_true, eventually
from ui.shell.routes import register_pages

PASSWORD = "vexing-marble-otter"


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


async def account(name: str, role: Role = Role.ADMIN) -> AdminIdentity:
    """Somebody who has some password."""
    row = await Admin.create(name=name, role=role, password_hash="of some password")
    return AdminIdentity(row.id, name, role)


@pytest.fixture
async def page(console: Console, user: User) -> User:
    """The local admin, who looks at the accounts, beside dana."""
    register_pages(console)
    await came_in(console)
    await account("dana")
    await sign_in(user, console, console.admin)
    await user.open("/settings/accounts")
    return user


def lines(user: User) -> list[str]:
    """What the lines of the table say."""
    with user:
        rows = [each for each in ElementFilter(kind=ui.element) if each.tag == "tr"][1:]
        return [" ".join(_texts(row)) for row in rows]


def _texts(element: ui.element) -> list[str]:
    with element:
        return [each.text for each in ElementFilter(kind=TextElement, local_scope=True) if each.text]


def manage(user: User, name: str) -> None:
    """Open what can be done with this account."""
    with user:
        buttons = [each for each in ElementFilter(kind=ui.button) if each.props.get("aria-label") == f"Manage: {name}"]
    UserInteraction(user, set(buttons), None).click()


async def test_an_invited_account_appears_with_its_link_shown_once(page: User, console: Console) -> None:
    page.find(marker="add-account").click()
    await page.should_see(marker="account-name")
    page.find(marker="account-name").type("ines")
    page.find(marker="account-add").click()
    await page.should_see("Link for ines")
    link = text(page, "secret")
    assert link.startswith("http://test/invitation?token=")
    page.find(marker="link-done").click()
    assert await comes_true(lambda: any("ines Admin Invited" in line for line in lines(page)))
    assert (await console.invitations.open(link.partition("token=")[2], "192.0.2.1")).admin.name == "ines"
    await page.open("/settings/accounts")
    await page.should_not_see(link)


async def test_a_bad_name_is_told_in_the_dialog_and_nothing_is_made(page: User) -> None:
    page.find(marker="add-account").click()
    await page.should_see(marker="account-name")
    page.find(marker="account-name").type("DANA")
    page.find(marker="account-add").click()
    await page.should_see("There is already an account 'dana'. Choose another name.")
    assert await Invitation.all().count() == 0


async def test_roles_disabling_and_resetting_are_done_and_on_record_with_who_did_it(
    page: User, console: Console
) -> None:
    me = f"by account {console.admin.id}"
    for button, kind, detail in (
        ("make-auditor", EntryKind.ROLE_CHANGED, f"to auditor, {me}"),
        ("make-admin", EntryKind.ROLE_CHANGED, f"to admin, {me}"),
        ("disable", EntryKind.DISABLED, me),
        ("enable", EntryKind.ENABLED, me),
        ("reset-password", EntryKind.RESET, me),
    ):
        manage(page, "dana")
        await page.should_see(marker=button)
        page.find(marker=button).click()

        async def is_on_record(kind: EntryKind = kind, detail: str = detail) -> bool:
            last = await Entry.all().order_by("-number").first()
            return last is not None and (last.kind, last.detail) == (kind, detail)

        await eventually(is_on_record)
        if button == "reset-password":
            await page.should_see("Link for dana")
        await page.open("/settings/accounts")


async def test_ones_own_account_is_not_disabled_without_a_question(page: User, console: Console) -> None:
    manage(page, console.admin.name)
    await page.should_see(marker="disable")
    page.find(marker="disable").click()
    await page.should_see("This is your own account")
    assert not (await Admin.get(id=console.admin.id)).disabled
    page.find(marker="own-confirm").click()

    async def is_disabled() -> bool:
        return (await Admin.get(id=console.admin.id)).disabled

    await eventually(is_disabled)


async def test_the_last_admin_is_told_so_in_the_dialog(page: User, console: Console) -> None:
    await console.admins.set_disabled("dana", True, "elsewhere")
    manage(page, console.admin.name)
    await page.should_see(marker="make-auditor")
    page.find(marker="make-auditor").click()
    await page.should_see("This is your own account")
    page.find(marker="own-confirm").click()
    await page.should_see("is the last admin who can sign in")


async def test_what_another_admin_does_shows_in_an_open_page(page: User, console: Console) -> None:
    await page.should_see("2 admins, 0 auditors")
    await console.invitations.invite("eve", Role.AUDITOR, await an_admin("dana"))
    await says(page, "accounts-count", "2 admins, 1 auditor")
    await console.admins.set_disabled("eve", True, await an_admin("dana"))
    await says(page, "accounts-count", "2 admins, 0 auditors, 1 disabled")


async def test_an_auditor_sees_all_of_it_and_is_offered_nothing(page: User, console: Console) -> None:
    await sign_in(page, console, await account("ada", Role.AUDITOR))
    await page.open("/settings/accounts")
    await page.should_see("dana")
    await page.should_not_see(marker="add-account")
    await page.should_not_see("Manage")
    await page.open("/settings/access")
    await page.should_see("Changes of accounts")


async def test_ones_sessions_are_listed_and_ended(page: User, console: Console) -> None:
    await console.sessions.begin(console.admin, "2001:db8::7", device="Safari on iPhone")
    await page.open("/settings/sessions")
    await says(page, "sessions-count", "1 other session.")
    await page.should_see("Safari on iPhone")
    page.find(marker="end-others").click()
    await is_told(page, "Signed out: 1 other session.")
    await says(page, "sessions-count", "You are signed in here only.")
    await page.should_not_see("Safari on iPhone")


async def test_the_access_record_says_how_it_stands_and_leads_to_the_history(page: User, console: Console) -> None:
    await page.open("/settings/access")
    assert await comes_true(lambda: any(line.startswith("Refused 0 None on record") for line in lines(page)))
    await console.history.put(EntryKind.REFUSED, "dana", "198.51.100.66")
    assert await comes_true(lambda: any(line.startswith("Refused 1 dana: sign-in refused") for line in lines(page)))
    with page:
        links = {each.text: each.props["href"] for each in ElementFilter(kind=ui.link)}
    assert links["Refused"] == "/history?what=refused"
    assert links["All of it"] == "/history?what=access"


async def test_without_a_section_the_first_one_opens(page: User) -> None:
    answer = await page.http_client.get("/settings")
    assert (answer.status_code, answer.headers["location"]) == (307, "/settings/account")
    await page.open("/settings/account")
    await page.should_see("None: you come in by a launch link.")
