"""What every request is made into before anybody sees it: the caller's address, and the path below the root path, are known."""

from starlette.types import Scope

from models.proxies import TrustedProxies


def prepare(scope: Scope, proxies: TrustedProxies) -> None:
    """Let a request or a socket say who calls, and what for, as the proxies that are trusted tell it."""
    _put_caller(scope, proxies)
    _root_path_once(scope)
    # NiceGUI would believe it from anybody; our own way to say this is --root-path.
    scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"x-forwarded-prefix"]


def raw_path(scope: Scope) -> str:
    """The path below the root path as it was sent, percent-encoding and all."""
    raw = scope.get("raw_path")
    return below_root(scope, raw.decode("latin-1") if raw else scope["path"])


def below_root(scope: Scope, path: str) -> str:
    """A path without the root path before it."""
    root = scope.get("root_path", "")
    return path.removeprefix(root) if root and path.startswith(f"{root}/") else path


def _put_caller(scope: Scope, proxies: TrustedProxies) -> None:
    """From here on the connection's address and scheme are the caller's, as `models.proxies` decides it."""
    peer, port = scope.get("client") or ("", 0)
    told_for: list[str] = []
    told_proto: list[str] = []
    for name, value in scope["headers"]:
        if name == b"x-forwarded-for":
            told_for.append(value.decode("latin-1"))
        elif name == b"x-forwarded-proto":
            told_proto.append(value.decode("latin-1"))
    caller = proxies.caller(peer, told_for, told_proto)
    scope["client"] = (caller.address, port)
    if caller.scheme:
        secure = caller.scheme == "https"
        scope["scheme"] = ("wss" if secure else "ws") if scope["type"] == "websocket" else caller.scheme


def _root_path_once(scope: Scope) -> None:
    """Uvicorn puts the root path before every path, also if the proxy in front did not take it away: then take one away."""
    root = scope.get("root_path", "")
    if root and f"{scope['path']}/".startswith(f"{root}{root}/"):
        scope["path"] = scope["path"].removeprefix(root)
        if raw := scope.get("raw_path"):
            scope["raw_path"] = raw.removeprefix(root.encode())
