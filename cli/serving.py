"""Where and how to serve, from the settings."""

from cli.settings import Settings
from web.server import Serving


def serving_of(settings: Settings) -> Serving:
    """What the settings say of it. Raises InvalidValue for what does not go together."""
    return Serving(
        settings.host,
        settings.port,
        settings.ssl_certfile,
        settings.ssl_keyfile,
        settings.root_path,
        settings.trusted_proxy,
        settings.allowed_host,
    )
