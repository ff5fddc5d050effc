"""What the pages of one's own second factors say. Every text in them that somebody chose is escaped."""

from collections.abc import Mapping
from datetime import datetime
from html import escape

from fastapi import Request
from fastapi.responses import Response

from models.access import CONFIRM_PATH, FACTORS_PATH
from models.errors import AuthkeysError
from models.second_factors import MAX_PASSKEY_NAME, RECOVERY_CODES, Factors, Passkey, PasskeyPlace
from services.second_factors import Draft
from services.sessions import SignedIn
from web.plain import hidden, path_to, plain_page, problem_html, script_tag
from web.second_step import status_of, ways_html


def factors_page(
    request: Request,
    session: SignedIn,
    has: Factors,
    where: PasskeyPlace,
    *,
    may_change: bool,
    error: AuthkeysError | None,
    typed: str,
) -> Response:
    """What there is, and what can be done to it."""
    base = escape(path_to(request, FACTORS_PATH))
    parts = [
        _lead(session, has),
        problem_html(str(error) if error else ""),
        "" if may_change else _confirm_first(base),
        _passkeys_html(base, has, where, may_change, typed),
        _codes_html(base, has, may_change),
        _recovery_html(base, has, may_change) if has.any else "",
        _way_out(request, session),
    ]
    status = status_of(error) if error else 200
    return plain_page(
        "Second factor", "\n".join(parts), status=status, script=script_tag(request, "passkeys"), is_wide=True
    )


def _lead(session: SignedIn, has: Factors) -> str:
    name = escape(session.admin.name)
    if session.is_enrolling:
        return (
            f"<p>This server asks for a second factor, and your account {name} has none yet. Add a passkey, or an app with "
            "one-time codes; then you are in.</p>"
        )
    if not has.any:
        return (
            f"<p>Your account {name} has no second factor. With one, who learns its password cannot sign in with that "
            "alone.</p>"
        )
    return f"<p>What you, {name}, show beside your password when you sign in. Any one of these is enough.</p>"


def _confirm_first(base: str) -> str:
    return (
        f'<form method="get" action="{base}/confirm">{hidden("next", FACTORS_PATH)}'
        '<p class="note">To change anything here, confirm first that it is you.</p><button>Confirm that it is you</button></form>'
    )


def _passkeys_html(base: str, has: Factors, where: PasskeyPlace, may_change: bool, typed: str) -> str:
    rows = "".join(_passkey_html(base, each, where, may_change) for each in has.passkeys)
    listed = (
        f'<ul class="factors">{rows}</ul>'
        if rows
        else "<p>None yet. A passkey is kept by your device or security key.</p>"
    )
    return f"<h2>Passkeys</h2>{listed}{_add_passkey_html(base, where, typed) if may_change else ''}"


def _passkey_html(base: str, passkey: Passkey, where: PasskeyPlace, may_change: bool) -> str:
    name = escape(passkey.name)
    elsewhere = "" if passkey.rp_id == where.rp_id else f" · for {escape(passkey.rp_id)}"
    told = f"Added {_time(passkey.added_at)} · {_used(passkey.used_at)}{elsewhere}"
    remove = (
        f'<form method="post" action="{base}/passkeys/remove">{hidden("id", str(passkey.id))}'
        f'<button class="other" aria-label="Remove the passkey {name}">Remove</button></form>'
    )
    return f'<li><span class="what">{name}<small>{told}</small></span>{remove if may_change else ""}</li>'


def _add_passkey_html(base: str, where: PasskeyPlace, typed: str) -> str:
    if where.problem:
        return f'<p class="note">{escape(where.problem)}</p>'
    return (
        f'<form class="row" method="post" action="{base}/passkeys" data-passkey="{base}/passkeys/asked" hidden>{hidden("answer", "")}'
        f'<div><label for="name">Name of the new passkey</label><input id="name" name="name" value="{escape(typed)}" required '
        f'maxlength="{MAX_PASSKEY_NAME}" autocomplete="off" placeholder="My laptop"></div><button>Add a passkey</button></form>'
        '<noscript><p class="note">Passkeys need JavaScript, which this browser does not run here.</p></noscript>'
    )


def _codes_html(base: str, has: Factors, may_change: bool) -> str:
    if has.codes_since is None:
        listed = "<p>None yet. An app on your phone shows six digits, new ones every 30 seconds (TOTP).</p>"
        change = (
            f'<form class="row" method="get" action="{base}/codes"><button class="other">Add an app</button></form>'
        )
        return f"<h2>App with one-time codes</h2>{listed}{change if may_change else ''}"
    told = f"Added {_time(has.codes_since)} · {_used(has.codes_used)}"
    change = (
        f'<form method="get" action="{base}/codes"><button class="other">Replace</button></form>'
        f'<form method="post" action="{base}/codes/remove"><button class="other" aria-label="Remove the app with one-time codes">'
        "Remove</button></form>"
    )
    item = f'<li><span class="what">Your app<small>{told}</small></span>{change if may_change else ""}</li>'
    return f'<h2>App with one-time codes</h2><ul class="factors">{item}</ul>'


def _recovery_html(base: str, has: Factors, may_change: bool) -> str:
    text = f"{has.recovery_left} of {RECOVERY_CODES} are left. Each lets you in once, if you lost the rest."
    make = f'<form method="post" action="{base}/recovery"><button class="other">Make new ones</button></form>'
    item = f'<li><span class="what">{text}<small>New ones end those from before.</small></span>{make if may_change else ""}</li>'
    return f'<h2>Recovery codes</h2><ul class="factors">{item}</ul>'


def _way_out(request: Request, session: SignedIn) -> str:
    if session.is_enrolling:
        return f'<form method="post" action="{escape(path_to(request, "/sign-out"))}"><button class="other">Sign out</button></form>'
    return f'<a class="back" href="{escape(path_to(request, "/"))}">Back to Authkeys</a>'


def confirm_page(
    request: Request,
    session: SignedIn,
    has: Factors,
    where: PasskeyPlace,
    to: str,
    *,
    has_password: bool,
    launch: str,
    error: AuthkeysError | None,
    fields: Mapping[str, str],
) -> Response:
    """Asks who is there to show that anew; `launch` is the command that makes a new launch link, for whom there is one."""
    lead = f"<p>You are signed in as <strong>{escape(session.admin.name)}</strong>. What you confirm now holds for 5 minutes.</p>"
    if has.any:
        ways = ways_html(request, has, where, CONFIRM_PATH, to, error, fields)
    elif has_password:
        ways = _password_html(request, CONFIRM_PATH, to, error)
    else:
        ways = _come_in_anew(launch)
    back = f'<a class="back" href="{escape(path_to(request, to))}">Back, without confirming</a>'
    none = (
        ""
        if has.any
        else f'<p class="note">You have no second factor yet. What needs one stays refused until you add one: <a href="{escape(path_to(request, FACTORS_PATH))}">Second factor</a>.</p>'
    )
    status = status_of(error) if error else 200
    return plain_page(
        "Confirm that it is you", lead + ways + none + back, status=status, script=script_tag(request, "passkeys")
    )


def _password_html(request: Request, path: str, to: str, error: AuthkeysError | None) -> str:
    wrong = 'aria-invalid="true" aria-describedby="problem"' if error else ""
    return (
        f'<form method="post" action="{escape(path_to(request, path))}">{hidden("next", to)}<label for="password">Password</label>'
        f'<input id="password" name="password" type="password" autocomplete="current-password" required autofocus {wrong}>'
        f"{problem_html(str(error) if error else '')}<button>Confirm</button></form>"
    )


def _come_in_anew(launch: str) -> str:
    if launch:
        return f"<p>You came in by a launch link, so open a new one now:</p><pre>{escape(launch)}</pre>"
    return "<p>You have no password here, so sign out and sign in once more the way you did: that counts for 5 minutes.</p>"


def codes_page(request: Request, draft: Draft, error: AuthkeysError | None = None) -> Response:
    """Shows the secret of a new app, as a picture and in letters, and asks for a code of it."""
    import segno  # noqa: PLC0415 - for a fast start

    picture = segno.make(draft.uri, error="m").svg_inline(scale=4, border=2, dark="#000", light="#fff")
    grouped = " ".join(draft.secret[first : first + 4] for first in range(0, len(draft.secret), 4))
    wrong = 'aria-invalid="true" aria-describedby="problem"' if error else ""
    base = escape(path_to(request, FACTORS_PATH))
    body = (
        "<p>Read this picture with your app. It counts once you have typed a code that the app shows.</p>"
        f'<div class="qr" role="img" aria-label="QR code of the secret below">{picture}</div>'
        f'<details><summary>No camera? Type the secret</summary><p class="secret" id="secret">{grouped}</p></details>'
        f'<form method="post" action="{base}/codes">{hidden("draft", draft.sealed)}<label for="code">Code that the app shows</label>'
        f'<input id="code" name="code" autocomplete="one-time-code" inputmode="numeric" maxlength="12" required autofocus {wrong}>'
        f"{problem_html(str(error) if error else '')}<button>Add the app</button></form>"
        f'<a class="back" href="{base}">Back, without adding it</a>'
    )
    return plain_page("App with one-time codes", body, status=status_of(error) if error else 200)


def recovery_page(request: Request, codes: list[str], to: str) -> Response:
    """Shows recovery codes, this once."""
    items = "".join(f"<li>{escape(each)}</li>" for each in codes)
    body = (
        "<p>Keep these where you find them when your phone or key is lost. Each lets you in once. They are not shown again.</p>"
        f'<ul class="codes" aria-label="Recovery codes">{items}</ul>'
        '<button class="other" id="copy" type="button" hidden>Copy them</button>'
        '<p id="kept" role="status"></p>'
        '<p><a id="save" download="authkeys-recovery-codes.txt" href="#" hidden>Save them as a file</a></p>'
        f'<form method="get" action="{escape(path_to(request, to))}"><button>I have kept them</button></form>'
    )
    return plain_page("Your recovery codes", body, script=script_tag(request, "recovery_codes"), is_wide=True)


def _time(at: datetime) -> str:
    return f'<time datetime="{at.isoformat()}">{at:%Y-%m-%d %H:%M} UTC</time>'


def _used(at: datetime | None) -> str:
    return f"last used {_time(at)}" if at else "never used"
