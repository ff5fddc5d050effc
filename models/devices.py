"""Which browser a session was begun with, in words: from what the browser says of itself, which is a claim."""

import re

MAX_DEVICE_LENGTH = 60

# The first one that is found counts: most browsers also call themselves Chrome or Safari.
_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/|Opera"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Vivaldi", r"Vivaldi/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|HeadlessChrome/"),
    ("Chromium", r"Chromium/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("ChromeOS", r"CrOS"),
    ("Mac", r"Macintosh|Mac OS X"),
    ("Linux", r"Linux|X11"),
)
_PROGRAM = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,30}(?=/|$)")
"""What is no browser mostly begins with its name, as in `curl/8.5.0`"""


def device_in_words(user_agent: str) -> str:
    """`Firefox on Linux`, from a User-Agent header (RFC 9110, 10.1.5); empty if it says nothing that one knows.

    Only known words come of it, or the name of a program: nothing that a caller wrote is shown as it is.
    """
    agent = user_agent[:500]
    browser = _first_of(_BROWSERS, agent)
    system = _first_of(_SYSTEMS, agent)
    if browser:
        return f"{browser} on {system}" if system else browser
    program = _PROGRAM.match(agent)
    if program and program[0] != "Mozilla":
        return program[0]
    return f"A browser on {system}" if system else ""


def _first_of(known: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for name, pattern in known if re.search(pattern, agent)), "")
