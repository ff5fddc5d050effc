"""The details of a pickup passphrase in the side panel, without a browser."""

import uuid

import pytest
from nicegui import ui
from nicegui.testing import User

from services.console import Console
from storage.database import DatabaseLocation
from tests.page import ADD, is_told, sign_in
from tests.panel import line, panel, tells
from ui.shell.routes import register_pages

PHRASE = "open sesame please"


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


@pytest.fixture
async def passphrase(console: Console, user: User) -> User:
    """The local admin, who looks at a passphrase that was used once."""
    networks = ("192.0.2.0/24", "2001:db8::/64")
    await console.passphrases.add(console.admin, PHRASE, ADD.mask, uses=3, networks=networks, note="rack 4")
    await console.passphrases.register(PHRASE, "billing", "192.0.2.7")
    register_pages(console)
    await sign_in(user, console, console.admin)
    await user.open("/passphrases?phrase=1")
    return user


async def test_those_of_a_passphrase_say_how_it_may_be_used_and_who_used_it(passphrase: User, console: Console) -> None:
    await tells(passphrase, "#1 rack 4", "Active: servers can register with it.", "Uses left 2 of 3", "Expires never")
    await tells(passphrase, "From 192.0.2.0/24, 2001:db8::/64", f"Made by {console.admin.name} just now")
    await tells(passphrase, "192.0.2.7 billing just now")
    assert line(passphrase, ADD.label).startswith(f"{ADD.label} granted")
    (link,) = passphrase.find(content="192.0.2.7", kind=ui.link).elements
    assert link.props["href"] == "/?key=192.0.2.7,billing"


async def test_they_follow_a_registration_a_staged_removal_and_its_submission(
    passphrase: User, console: Console
) -> None:
    await tells(passphrase, "Uses left 2 of 3")
    await console.passphrases.register(PHRASE, "mail", "192.0.2.8")
    await tells(passphrase, "Uses left 1 of 3", "192.0.2.8 mail just now", "192.0.2.7 billing just now")
    passphrase.find(marker="details-remove").click()
    await tells(passphrase, "× removal staged", "Take back the removal")
    await console.passphrase_staging.submit(console.admin, uuid.uuid4())
    await tells(passphrase, "Removed: no server can register with it.", f"Removed by {console.admin.name} just now")
    assert "Mark for removal" not in panel(passphrase)
    assert "192.0.2.8 mail" in panel(passphrase)


@pytest.mark.parametrize(
    ("named", "said"), [("7", "There is no such passphrase."), ("x", "is no number of an entry or a row")]
)
async def test_an_address_that_names_no_passphrase_says_so(passphrase: User, named: str, said: str) -> None:
    await passphrase.open(f"/passphrases?phrase={named}")
    await is_told(passphrase, said)
    assert panel(passphrase) == ""
