"""The options about the provider of single sign-on, taken together."""

from cli.settings import Settings, flag
from models.provider_options import check_together
from models.single_sign_on import ProviderSettings
from services.client_secret import load_client_secret

_OTHERS = ("oidc_secret_file", "oidc_name", "oidc_admins", "oidc_auditors", "oidc_allowed_domain")
"""Of no use without a provider"""


def provider_settings(settings: Settings) -> ProviderSettings | None:
    """The provider that the options tell of, or None. Raises InvalidValue, SecretUnusable."""
    others = [flag(name) for name in _OTHERS if getattr(settings, name)]
    has_role = bool(settings.oidc_admins or settings.oidc_auditors)
    check_together(settings.oidc_issuer, settings.oidc_client_id, others, has_role=has_role)
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        return None
    secret_file = settings.oidc_secret_file
    return ProviderSettings(
        settings.oidc_issuer,
        settings.oidc_client_id,
        load_client_secret(secret_file) if secret_file else None,
        settings.oidc_name,
        settings.oidc_scopes,
        settings.oidc_claim,
        frozenset(settings.oidc_admins),
        frozenset(settings.oidc_auditors),
        frozenset(settings.oidc_allowed_domain),
    )
