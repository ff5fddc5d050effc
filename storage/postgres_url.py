"""PostgreSQL's address, as given with --database: read by one parser (asyncpg's), shown without a secret.

What asyncpg understands: asyncpg.readthedocs.io, `connect()`; libpq's names, postgresql.org/docs/current, 34.1.2.
"""

from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from models.errors import DatabaseUnusable

SCHEMES = ("postgres", "postgresql")
PARAMETERS = (
    *(
        "host",
        "port",
        "user",
        "password",
        "passfile",
        "dbname",
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "sslcrl",
    ),
    *("sslpassword", "ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs"),
    *("application_name", "options"),
)
"""What may follow the question mark. asyncpg would send any other to the server as a setting, which answers in riddles."""
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SSL = {"true": "require", "1": "require", "on": "require", "false": "disable", "0": "disable", "off": "disable"}
"""The spellings of other tools' `ssl=`"""


def shown(text: str) -> str:
    """The address without user, password and parameters, for messages."""
    scheme = text.partition(":")[0]
    try:
        parts = urlsplit(text)
    except ValueError:
        return f"{scheme}://…"
    if "@" in f"{parts.path}{parts.query}{parts.fragment}" and "@" not in parts.netloc:
        return f"{scheme}://…"  # a password with a sign that ends the host's part: nobody knows where it ends
    try:
        return f"{scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
    except ValueError:  # several hosts
        return f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def asyncpg_dsn(text: str) -> str:
    """The address as asyncpg reads it. Raises DatabaseUnusable, in words, for one that would be misread."""
    try:
        parts = urlsplit(text)
    except ValueError:
        raise _unusable(text, "it cannot be read: an IPv6 address stands in brackets, [2001:db8::1]") from None
    if parts.netloc.count("@") > 1 or parts.fragment or ("@" in parts.path and "@" not in parts.netloc):
        raise _unusable(
            text,
            "the signs @ : / ? # % in a user name or password must be written with a percent sign (@ is %40, / is %2F)",
        )
    return urlunsplit(parts._replace(query=_query(text, parts)))


def _query(text: str, parts: SplitResult) -> str:
    wanted = []
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name == "ssl":
            wanted.append(("sslmode", _SSL.get(value.casefold(), value)))
        elif name in PARAMETERS:
            wanted.append((name, value))
        else:
            raise _unusable(text, f"the parameter {name!r:.60} is not known; known are ssl, {', '.join(PARAMETERS)}")
        if wanted[-1][0] == "sslmode" and wanted[-1][1] not in _SSL_MODES:
            raise _unusable(text, f"{name} is one of {', '.join(_SSL_MODES)}")
    return urlencode(wanted)


def _unusable(text: str, why: str) -> DatabaseUnusable:
    return DatabaseUnusable(
        f"The address {shown(text)} given with --database cannot be used: {why}. Nothing was changed."
    )
