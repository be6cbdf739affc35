"""nginx and Caddy, as they are shipped, before a gateway with the settings that are shipped."""

from __future__ import annotations

import os
import random
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import attrs
import pytest
import trustme

from tests.cli.process import HANG, run, serving
from tests.integration.ports import free_port

from .shipped import program, shipped

ProxyName = Literal["nginx", "caddy"]
UpstreamName = Literal["tcp", "unix"]

NAME = "chat.example.com"
"""What the shipped files call the place."""

AGENT = """
import os, pathlib, trio

async def agent(turn):
    for number in range(3):
        await turn.token(f"{number} ")
        while not pathlib.Path(os.environ["GATES"], f"{turn.session.id}-{number}").exists():
            await trio.sleep(0.01)
"""
"""Says a word, and waits before the next until somebody has heard it."""


class Proxy:
    """One that can be stopped and started again."""

    def __init__(self, command: list[str], folder: Path, sign: str) -> None:
        self._command = command
        self._folder = folder
        self._sign = sign
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it; return when it listens."""
        self._process = subprocess.Popen(
            self._command,
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self._folder)},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            if self._sign in line:
                return
        pytest.fail(f"it did not start: {''.join(said)}")

    def stop(self) -> None:
        """End it, and with it all connections that it has."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=HANG)
            self._process = None


@attrs.frozen
class Front:
    """A gateway behind a proxy, and how to come to it."""

    proxy: Proxy
    port: int
    plain_port: int
    token: str = attrs.field(repr=False)
    context: ssl.SSLContext
    gates: Path

    @property
    def url(self) -> str:
        """Where clients dial."""
        return f"wss://localhost:{self.port}"

    def open(self, session_id: str, number: int) -> None:
        """Have the agent go on after this word."""
        (self.gates / f"{session_id}-{number}").touch()


@contextmanager
def fronting(name: ProxyName, upstream: UpstreamName, folder: Path) -> Iterator[Front]:
    """A gateway and the proxy before it, for as long as the block lasts."""
    executable = program(name)
    context = _certify(folder)
    tokens = folder / "tokens.json"
    made = run("token", "create", "--user", "ann", "--tokens", str(tokens))
    (folder / "gated.py").write_text(AGENT)
    (gates := folder / "gates").mkdir()
    env = {"BAMBOO_BIND": "", "BAMBOO_STORAGE": "", "PYTHONPATH": str(folder), "GATES": str(gates)}
    settings = folder / "gateway.toml"
    settings.write_text(_settings(upstream, folder, tokens))
    with serving("--config", str(settings), "--agent", "python:gated:agent", env=env) as served:
        rng = random.Random()
        port, plain_port = free_port(rng), free_port(rng)
        make = {"nginx": _nginx, "caddy": _caddy}[name]
        proxy = make(executable, folder, served.url.removeprefix("ws://"), port, plain_port)
        try:
            proxy.start()
            yield Front(proxy, port, plain_port, made.stdout.strip(), context, gates)
        finally:
            proxy.stop()
        code, _, log = served.stop()
        assert (code, "Traceback" in log) == (0, False), log


def _certify(folder: Path) -> ssl.SSLContext:
    """Write a certificate for the proxy; return what clients trust."""
    authority = trustme.CA()
    made = authority.issue_cert(NAME, "localhost")
    made.private_key_pem.write_to_path(folder / "key.pem")
    for part in made.cert_chain_pems:
        part.write_to_path(folder / "cert.pem", append=True)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def _settings(upstream: UpstreamName, folder: Path, tokens: Path) -> str:
    changes = {
        'bind = "127.0.0.1:18790"': 'bind = "127.0.0.1:0"',
        "sqlite:/var/lib/bamboo-gateway/gateway.db": f"sqlite:{folder}/gateway.db",
        "/var/lib/bamboo-gateway/tokens.json": str(tokens),
    }
    if upstream == "unix":
        changes |= {
            'bind = "127.0.0.1:18790"': "",
            '#bind = "unix:/run/bamboo-gateway/gateway.sock"': f'bind = "unix:{folder}/gateway.sock"',
            'trusted_proxies = ["127.0.0.1"]': 'trusted_proxies = ["unix"]',
        }
    return shipped("gateway.toml", changes)


_NGINX = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log stderr notice;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/bamboo-gateway.conf;
}}
"""


def _nginx(executable: str, folder: Path, upstream: str, port: int, plain_port: int) -> Proxy:
    changes = {
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "listen [::]:80;": "",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "listen [::]:443 ssl;": "",
        f"/etc/letsencrypt/live/{NAME}/fullchain.pem": f"{folder}/cert.pem",
        f"/etc/letsencrypt/live/{NAME}/privkey.pem": f"{folder}/key.pem",
    }
    if upstream.startswith("unix:"):
        changes["server 127.0.0.1:18790"] = "#"
        changes["#server unix:/run/bamboo-gateway/gateway.sock"] = f"server {upstream}"
    else:
        changes["server 127.0.0.1:18790"] = f"server {upstream}"
    (folder / "bamboo-gateway.conf").write_text(shipped("nginx.conf", changes))
    # Its workers have to open a socket that is its user's alone.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, user=user))
    command = [executable, "-c", f"{folder}/nginx.conf", "-p", str(folder), "-e", "stderr"]
    return Proxy(command, folder, "start worker process ")


_CADDY = """
{
	admin off
	auto_https disable_redirects
}
"""


def _caddy(executable: str, folder: Path, upstream: str, port: int, plain_port: int) -> Proxy:
    address = upstream.replace("unix:", "unix/")
    place = f"https://{NAME}:{port}, https://localhost:{port} {{\n\ttls {folder}/cert.pem {folder}/key.pem\n"
    changes = {f"{NAME} {{\n": place, "reverse_proxy 127.0.0.1:18790": f"reverse_proxy {address}"}
    (folder / "Caddyfile").write_text(_CADDY + shipped("Caddyfile", changes))
    command = [executable, "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]
    return Proxy(command, folder, "serving initial configuration")
