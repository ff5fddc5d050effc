"""What tests of the denied requests' page share: an authkey that may little, and somebody who asks for more."""

from nicegui.testing import User

from models.accounts import AdminIdentity
from models.authkeys import Authkey
from models.privileges import Privilege, privilege
from models.secrets import Secret, new_secret
from models.submissions import NewAuthkey
from services.authorizer import Question
from services.console import Console
from tests.page import sign_in
from tests.support import add_keys
from ui.shell.routes import register_pages

ADD, SEARCH = privilege("addlicense"), privilege("search")
IP = "192.0.2.50"


async def may_add_only(console: Console) -> tuple[Authkey, Secret]:
    """An authkey that may add licenses, and nothing else."""
    secret = new_secret()
    return (await add_keys(console, NewAuthkey(IP, "billing", ADD.mask, secret.kept)))[0], secret


async def looks(user: User, console: Console, admin: AdminIdentity) -> User:
    """An admin who looks at the denied requests, of which there are none yet."""
    register_pages(console)
    await sign_in(user, console, admin)
    await user.open("/denied")
    await user.should_see("No request was denied")
    return user


async def asks(console: Console, secret: str | None, what: Privilege = SEARCH, ip: str = IP) -> None:
    """Ask the authorizer, and let what it noted be written, and told to the pages."""
    await console.authorizer.ask(Question(secret, ip, what, what.id))
    await console.uses.write()
    await console.uses.refresh()
