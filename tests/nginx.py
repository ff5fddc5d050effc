"""nginx and Caddy with our own configurations from deploy/, on free ports of this machine."""

import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.requirements import INSTALL_HINT
from tests.starting import ROOT
from tests.waiting import soon

needs_nginx = pytest.mark.skipif(not shutil.which("nginx") or not shutil.which("openssl"), reason=INSTALL_HINT)
needs_caddy = pytest.mark.skipif(not shutil.which("caddy") or not shutil.which("openssl"), reason=INSTALL_HINT)

_FRAME = """
user root; daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{}}
http {{
    access_log {folder}/of-debian.log;  # as in Debian's nginx.conf, beside which the files of deploy/ are put
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    {server}
}}
"""


@contextmanager
def running_nginx(
    site: str, folder: Path, replaced: Mapping[str, str], configuration: str = "nginx.conf"
) -> Iterator[None]:
    """Run one site of a file in deploy/ with its addresses and files replaced by a test's own."""
    server = _adapted(configuration, f"server_name {site};", {"/var/log/nginx": str(folder), **replaced})
    file = folder / "nginx.conf"
    file.write_text(_FRAME.format(folder=folder, server=server))
    with subprocess.Popen(["nginx", "-p", str(folder), "-c", str(file)], stderr=subprocess.PIPE, text=True) as process:
        try:
            _wait_for_start(process, folder)
            yield
        finally:
            process.terminate()


@contextmanager
def running_caddy(site: str, folder: Path, replaced: Mapping[str, str]) -> Iterator[None]:
    """Run one site of deploy/Caddyfile likewise; it changes nothing outside of the folder."""
    file = folder / "Caddyfile"
    options = {"{\n\tlog {": "{\n\tadmin off\n\tauto_https off\n\tlog {"}
    file.write_text(_adapted("Caddyfile", f"\n{site} {{", options | dict(replaced)))
    command = ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]
    log = folder / "caddy.log"
    with log.open("w") as errors, subprocess.Popen(command, env={"HOME": str(folder)}, stderr=errors) as process:
        try:
            assert soon(lambda: process.poll() is not None or "serving initial configuration" in log.read_text())
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()


def self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for this host name that nobody vouches for, and its key."""
    certificate, key = folder / "certificate.pem", folder / "certificate.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "2", "-newkey", "rsa:2048"),
            *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
            *("-out", str(certificate), "-keyout", str(key)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def nginx_tls(port: int, certificate: Path, key: Path) -> dict[str, str]:
    """What is replaced in a site of nginx's for it to listen here."""
    return {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/keys.example.com.pem": str(certificate),
        "/etc/ssl/keys.example.com.key": str(key),
    }


def caddy_tls(site: str, port: int, certificate: Path, key: Path) -> dict[str, str]:
    """The same for Caddy."""
    return {f"\n{site} {{": f"\nhttps://{site}:{port} {{\n\ttls {certificate} {key}"}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _adapted(configuration: str, site: str, replaced: Mapping[str, str]) -> str:
    """The beginning of a file in deploy/ and the section of one of its sites."""
    beginning, *sections = (ROOT / "deploy" / configuration).read_text().split("\n# -- ")
    [section] = [each for each in sections if site in each]
    text = f"{beginning}\n# -- {section}"
    for old, new in replaced.items():
        assert old in text, f"{configuration} has no {old!r}"
        text = text.replace(old, new)
    return text


def _wait_for_start(process: "subprocess.Popen[str]", folder: Path) -> None:
    # nginx writes its process id after it listens.
    while process.poll() is None:
        if (folder / "pid").exists() and (folder / "pid").read_text().strip():
            return
    assert process.stderr
    pytest.fail(process.stderr.read())
