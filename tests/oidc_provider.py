"""A provider of OpenID Connect for the tests, built with authlib's server side: it checks clients, redirects, codes and PKCE as a
real one does, and can be told to misbehave. It runs in a thread of the test's process, on a free port."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import flask
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Request
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, ClientMixin, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from werkzeug.serving import make_server

from models.single_sign_on import BACK_CHANNEL_LOGOUT

CLIENT_ID, CLIENT_SECRET = "authkeys", "s3cret-of-the-client"
ADMINS, AUDITORS = "authkeys-admins", "authkeys-auditors"


class Client(ClientMixin):
    def __init__(self, provider: "OidcProvider") -> None:
        self._provider = provider

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return ""

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self._provider.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self._provider.auth_methods

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


class Code(AuthorizationCodeMixin):
    def __init__(self, code: str, claims: dict[str, Any], data: dict[str, str]) -> None:
        self.code, self.claims, self.data = code, claims, data
        self.code_challenge = data.get("code_challenge")
        self.code_challenge_method = data.get("code_challenge_method")

    def get_redirect_uri(self) -> str:
        return self.data["redirect_uri"]

    def get_scope(self) -> str:
        return self.data["scope"]

    def get_nonce(self) -> str | None:
        return self.data.get("nonce")

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class OidcProvider:
    """What it is told to do; `person` are the claims of who signs in there."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = person("dana", groups=[ADMINS])
        self.redirect_uris: set[str] = set()
        self.auth_methods = {"client_secret_basic"}
        self.key = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
        self.published = self.key
        self.algorithm = "RS256"
        self.spoil: Callable[[dict[str, Any]], object] = lambda claims: None
        """Changes the claims of an ID token before it is signed."""
        self.token_claims: set[str] | None = None
        """The person's claims that stand in the ID token; the others are told by the userinfo endpoint only."""
        self.userinfo_subject = ""
        self.denies = ""
        """The error with which it answers instead of a code"""
        self.names_itself = False
        self.metadata: dict[str, Any] = {}
        """Changes to what it publishes"""
        self.way_back: Callable[[str], str] = lambda url: url
        """Where a browser ends up that is sent to this address, as by a proxy in front of two instances"""
        self.is_down = False
        self.asked: list[str] = []
        """The paths that were asked for"""
        self._codes: dict[str, Code] = {}
        self._tokens: dict[str, dict[str, Any]] = {}
        self.issuer = ""

    # -- how tests use it ----------------------------------------------------------------------------------------------

    def logout_token(self, key: RSAKey | None = None, **claims: Any) -> str:
        """A logout token; a claim that is None is left out."""
        now = int(time.time())
        told = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_hex(8),
            "events": {BACK_CHANNEL_LOGOUT: {}},
            **claims,
        }
        told = {name: value for name, value in told.items() if value is not None}
        key = key or self.key
        return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "logout+jwt"}, told, key)

    def sign(self, claims: dict[str, Any]) -> str:
        """An ID token, as it is told to sign it."""
        header = {"alg": self.algorithm, "kid": self.key.kid}
        if self.algorithm == "none":
            return jwt.encode(header, claims, None, ["none"])
        if self.algorithm == "HS256":  # with the secret that the client knows, or could take the public key for
            return jwt.encode(header, claims, OctKey.import_key(CLIENT_SECRET), ["HS256"])
        return jwt.encode(header, claims, self.key, [self.algorithm])

    # -- its routes ----------------------------------------------------------------------------------------------------

    def app(self) -> flask.Flask:
        app = flask.Flask("provider")
        server = AuthorizationServer(
            app, lambda client_id: Client(self) if client_id == CLIENT_ID else None, self._keep
        )
        server.register_grant(self._grant(), [CodeChallenge(required=True), self._id_tokens()])

        @app.before_request
        def note() -> Any:
            self.asked.append(flask.request.path)
            return flask.Response("It is being repaired.", 503) if self.is_down else None

        app.get("/.well-known/openid-configuration", endpoint="metadata")(lambda: flask.jsonify(self._metadata()))
        app.get("/keys", endpoint="keys")(lambda: flask.jsonify(KeySet([self.published]).as_dict()))
        app.get("/userinfo", endpoint="userinfo")(self._userinfo)

        @app.route("/authorize", methods=["GET", "POST"])
        def authorize() -> Any:
            try:
                grant = server.get_consent_grant()
            except OAuth2Error as error:
                return server.handle_error_response(FlaskOAuth2Request(flask.request), error)
            if flask.request.method == "GET":
                return '<form method="post"><h1>The provider</h1><button>Sign in as the person</button></form>'
            if self.denies:
                answer = {"error": self.denies, "state": flask.request.args["state"], **self._named()}
                return flask.redirect(f"{flask.request.args['redirect_uri']}?{urlencode(answer)}")
            del grant
            answer = server.create_authorization_response(grant_user=self.person)
            answer.headers["Location"] = self.way_back(answer.headers["Location"])
            return answer

        app.post("/token", endpoint="token")(server.create_token_response)
        return app

    def _named(self) -> dict[str, str]:
        return {"iss": self.issuer} if self.names_itself else {}

    def _metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": sorted(self.auth_methods),
            "authorization_response_iss_parameter_supported": self.names_itself,
            "backchannel_logout_supported": True,
            **self.metadata,
        }

    def _userinfo(self) -> Any:
        claims = self._tokens.get(flask.request.headers["Authorization"].removeprefix("Bearer "))
        if claims is None:
            return flask.Response(status=401)
        return flask.jsonify({**claims, **({"sub": self.userinfo_subject} if self.userinfo_subject else {})})

    def _keep(self, token: dict[str, Any], request: Any) -> None:
        self._tokens[token["access_token"]] = request.user

    def _grant(self) -> type[grants.AuthorizationCodeGrant]:
        provider = self

        class Grant(grants.AuthorizationCodeGrant):
            TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")

            def save_authorization_code(self, code: str, request: Any) -> None:
                provider._codes[code] = Code(code, dict(request.user), dict(request.payload.data))

            def query_authorization_code(self, code: str, client: Client) -> Code | None:
                return provider._codes.get(code)

            def delete_authorization_code(self, authorization_code: Code) -> None:
                del provider._codes[authorization_code.code]

            def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
                return authorization_code.claims

        return Grant

    def _id_tokens(self) -> OpenIDCode:
        provider = self

        class IdTokens(OpenIDCode):
            def exists_nonce(self, nonce: str, request: Any) -> bool:
                return False

            def encode_id_token(self, token: dict[str, Any], request: Any) -> str:
                now = int(time.time())
                claims = {"iss": provider.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300}
                claims |= self.get_authorization_code_claims(request.authorization_code)
                shown = provider.token_claims
                claims |= {
                    name: each for name, each in request.user.items() if shown is None or name in {"sub", *shown}
                }
                provider.spoil(claims)
                return provider.sign(claims)

        return IdTokens()


def person(name: str, **claims: Any) -> dict[str, Any]:
    """The claims of somebody whose address is verified."""
    return {
        "sub": f"subject-of-{name}",
        "preferred_username": name,
        "email": f"{name}@example.com",
        "email_verified": True,
        "sid": f"session-of-{name}",
        **claims,
    }


@contextmanager
def oidc_provider() -> Iterator[OidcProvider]:
    """A provider that answers until the block ends."""
    provider = OidcProvider()
    server = make_server("127.0.0.1", 0, provider.app(), threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
