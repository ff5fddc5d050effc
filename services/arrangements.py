"""How admins have arranged their grids: remembered for the person, whichever browser it is."""

from models.accounts import AdminIdentity
from models.arrangements import Arrangement, from_text, to_text
from models.subjects import Subject
from storage import preferences


async def arrangement_of(admin: AdminIdentity, subject: Subject, natural: Arrangement) -> Arrangement:
    """As the admin arranged it last; `natural` is how it is without that. Raises DatabaseUnavailable."""
    text = await preferences.arrangement(admin.id, subject)
    return natural if text is None else from_text(text, natural)


async def keep_arrangement(admin: AdminIdentity, subject: Subject, arrangement: Arrangement) -> None:
    """Remember it: the admin's next page begins with it. Raises DatabaseUnavailable."""
    await preferences.keep_arrangement(admin.id, subject, to_text(arrangement))
