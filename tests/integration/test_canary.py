"""No token gets into anything that is written or said: each is shown in every way, and looked for."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
import trio

from bamboo_gateway import GatewayConfig
from bamboo_gateway.cli.settings import ServeConfig
from bamboo_gateway.config import Setting
from bamboo_gateway.errors import ConfigError
from bamboo_gateway.identity.tokens_file import TokensFileError, read_tokens
from bamboo_gateway.principal import Credentials
from bamboo_gateway.protocol import codec
from bamboo_gateway.protocol.messages import Command, Connect
from bamboo_gateway.token_record import read_record, write_record
from tests.cli.process import HANG, run, serving
from tests.connection.raw_client import TEXT, RawClient, frame, head

pytestmark = pytest.mark.integration

ONE_TOKEN = "canary-of-the-one-token-for-all"


class Canary:
    """Two tokens in a file, and all that must be nowhere."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "tokens.json"
        self.ann = self._make("ann", "admin")
        self.bob = self._make("bob", "chat")
        self.wrong = self.ann[:-6] + "canary"
        tokens = [self.ann, self.bob, self.wrong, ONE_TOKEN]
        secrets = [token.split("_", 2)[-1][:36] for token in tokens]
        self.digests = [record.digest.removeprefix("sha256:") for record in read_tokens(self.path)]
        self.needles = [*secrets, *(base64.b64encode(each.encode()).decode()[:40] for each in secrets)]

    def find(self, text: str, *, digests: bool = True) -> list[str]:
        """The needles in *text*."""
        return [each for each in [*self.needles, *self.digests * digests] if each in text]

    def _make(self, user: str, scope: str) -> str:
        ran = run("token", "create", "--user", user, "--scope", scope, "--tokens", str(self.path))
        token = ran.stdout.removesuffix("\n")
        assert token.split("_", 2)[2] not in ran.stderr
        return token


@asynccontextmanager
async def dial(url: str) -> AsyncIterator[RawClient]:
    """A client that says exactly what it is told to."""
    host, port = url.removeprefix("ws://").split(":")
    client = RawClient(await trio.open_tcp_stream(host, int(port)))
    try:
        yield client
    finally:
        await client.leave()


async def hear_all(client: RawClient) -> str:
    """All that is sent until the gateway hangs up; a client that has said all says so."""
    heard = bytearray()
    with trio.fail_after(HANG):
        await client.stream.send_eof()
        while data := await client.stream.receive_some():
            heard += data
    return heard.decode(errors="replace")


async def say(url: str, request: bytes, *frames: bytes) -> str:
    """Open with *request*, send *frames*, and hear all that comes of it."""
    async with dial(url) as client:
        await client.send(request, *frames)
        return await hear_all(client)


def messages(canary: Canary, token: str) -> Sequence[str]:
    """All kinds of messages that a token can stand in, right and wrong, after a right `connect`."""
    texts = [
        {"type": "connect", "auth": canary.ann, "protocol": 2},
        {"type": "command", "name": "auth.refresh", "args": {"auth": token}, "id": "m1"},
        {"type": "command", "name": "auth.refresh", "args": {"auth": [token]}},
        {"type": "command", "name": "auth.refresh", "args": token},
        {"type": "command", "name": "auth.refesh", "args": {"auth": token}, "id": "m2"},
        {"type": "command", "name": "help", "args": {"auth": token}},
        {"type": "command", "name": "gateway.stats", "args": None},
        {"type": "command", "name": "gateway.info", "args": None},
        {"type": "command", "name": "session.list", "args": None},
        {"type": "command", "name": "presence.list", "args": None},
        {"type": "connect", "auth": [token]},
        {"type": "connect", "auth": {"token": token}},
        {"type": "connect", "auth": token, "protocol": "2"},
        {"type": "ping", "timestamp": token},
    ]
    broken = [
        f'{{"type": "connect", "auth": "{token}"',
        f'{{"type": "connect", "auth": "{token}", "auth": "{token}"}}',
        f'{{"type": "connect", "auth": "{token}\\ud800"}}',
        f'["{token}"]',
        token,
    ]
    return [*map(json.dumps, texts), *broken, json.dumps({"type": "connect", "auth": token})]


async def show_everywhere(canary: Canary, url: str) -> str:
    """Show each token in every way that there is; all that was answered."""
    heard = []
    for token in (canary.ann, canary.bob, canary.wrong, ONE_TOKEN):
        said = [frame(TEXT, text.encode()) for text in messages(canary, token)]
        heard.append(await say(url, head(), *said))
        heard.append(await say(url, head(), said[-1]))
        bearer: dict[bytes, bytes | None] = {b"Authorization": f"Bearer {token}".encode()}
        offer: dict[bytes, bytes | None] = {
            b"Sec-WebSocket-Protocol": f"bamboo, bamboo.bearer.{token}".encode()
        }
        basic: dict[bytes, bytes | None] = {b"Authorization": f"Basic {token}".encode()}
        hello = frame(TEXT, b'{"type":"connect"}')
        heard += [await say(url, head(headers), hello) for headers in (bearer, offer, basic)]
        lines = [f"GET {path} HTTP/1.1" for path in ("/metrics", "/healthz", "/nowhere", f"/?token={token}")]
        for line in [*lines, f"{token} / HTTP/1.1"]:
            request = f"{line}\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\r\n"
            heard.append(await say(url, request.encode()))
    return "\n".join(heard)


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_no_token_is_written_or_said(tmp_path: Path, log_format: Literal["text", "json"]) -> None:
    """In no log line, answer, statistic or file, however it was shown, and whether it was right or wrong."""
    canary = Canary(tmp_path)
    store = tmp_path / "gateway.db"
    options = ["--tokens", str(canary.path), "--log-level", "debug", "--log-format", log_format]
    limits = ["--max-failed-tokens", "0", "--storage", f"sqlite:{store}"]
    with serving(*options, *limits, env={"BAMBOO_AUTH_TOKEN": ONE_TOKEN}) as served:
        heard = await show_everywhere(canary, served.url)
        assert "connected" in heard
        assert "statistics" in heard
        assert canary.find(heard) == []
        listed = run("token", "list", "--json", "--tokens", str(canary.path))
        assert canary.find(listed.stdout + listed.stderr) == []
        code, out, log = served.stop()
        assert code == 0
        assert "connection closed" in log
        assert canary.find(out + log) == []
    assert canary.find(canary.path.read_text(), digests=False) == []
    for kept in tmp_path.glob("gateway.db*"):
        assert canary.find(kept.read_bytes().decode(errors="replace")) == []


def test_no_repr_and_no_error_has_a_token(tmp_path: Path) -> None:
    """Of whatever value holds one: it could be in any traceback."""
    canary = Canary(tmp_path)
    [ann, _] = read_tokens(canary.path)
    config = GatewayConfig(auth_token=ONE_TOKEN, principals=(ann,))
    text = json.dumps({"type": "connect", "auth": canary.ann})
    values = [
        Credentials(canary.ann, "::1", {"authorization": f"Bearer {canary.ann}"}),
        Connect(auth=canary.ann),
        Command("auth.refresh", {"auth": canary.ann}),
        codec.decode(text),
        ann,
        ann.principal(),
        config,
        ServeConfig(tokens=str(canary.path)),
        Setting,
        wrong_entry(write_record(ann) | {"digest": canary.ann}),
        wrong_entry(write_record(ann) | {"id": canary.ann}),
        wrong_entry([canary.ann]),
        wrong_file(canary),
    ]
    assert canary.find(repr(values)) == []
    assert canary.find(" ".join(map(str, values))) == []


def wrong_entry(value: object) -> ConfigError:
    """What is said of an entry in which a token stands in the wrong place."""
    with pytest.raises(ConfigError) as caught:
        read_record(value, "x")
    return caught.value


def wrong_file(canary: Canary) -> ConfigError:
    """What is said of a file that breaks off after a token."""
    path = canary.path.with_name("wrong.json")
    path.write_text(f'{{"version": 1, "tokens": ["{canary.ann}"')
    path.chmod(0o600)
    with pytest.raises(TokensFileError) as caught:
        read_tokens(path)
    return caught.value
