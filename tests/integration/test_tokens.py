"""Tokens from the command line to a live connection: made, revoked and rotated in another process."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from bamboo_gateway.client import Client, ClosedError, ConnectError, RefusedError, connect
from tests.cli.process import HANG, run, serving

pytestmark = pytest.mark.integration


def token(path: Path, *args: str) -> str:
    """What a command of `token` has on stdout."""
    ran = run("token", *args, "--tokens", str(path))
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.removesuffix("\n")


async def refused(url: str, shown: str | None) -> str:
    """The code of the refusal of a token."""
    with pytest.raises(RefusedError) as caught:
        async with connect(url, token=shown, reconnect=None):
            pass
    return caught.value.code


async def hear_on(client: Client) -> None:
    """Until there is nothing more to hear."""
    with trio.fail_after(HANG):
        async for _ in client:
            pass


async def is_closed(client: Client, reason: str) -> None:
    """It is let go, and told why."""
    with pytest.raises(ClosedError) as caught:
        await hear_on(client)
    assert (caught.value.code, caught.value.reason) == (4006, reason)
    assert not caught.value.reconnect


async def test_a_token_opens_until_it_is_rotated_or_revoked(tmp_path: Path) -> None:
    """What is live with it then is let go at once, and nobody else; no restart is needed for any of it."""
    path = tmp_path / "tokens.json"
    ann = token(path, "create", "--user", "ann")
    with serving("--tokens", str(path)) as served:
        async with connect(served.url, token=ann, reconnect=None) as client:
            assert await refused(served.url, None) == "UNAUTHORIZED"
            assert await refused(served.url, ann[:-1]) == "UNAUTHORIZED"
            bob = token(path, "create", "--user", "bob", "--scope", "metrics")
            new = token(path, "rotate", ann.split("_")[1])
            await is_closed(client, "the token was revoked")  # so by now bob's is known, too
            async with connect(served.url, token=bob, reconnect=None) as other:
                assert await refused(served.url, ann) == "UNAUTHORIZED"
                async with connect(served.url, token=new, reconnect=None) as again:
                    token(path, "revoke", new.split("_")[1])
                    await is_closed(again, "the token was revoked")
                await other.command("ping")
                token(path, "revoke", bob.split("_")[1])
                await is_closed(other, "the token was revoked")
        assert await refused(served.url, None) == "UNAUTHORIZED"
        assert served.stop()[0] == 0


async def test_a_token_that_expires_ends_its_connection(tmp_path: Path) -> None:
    """By itself."""
    path = tmp_path / "tokens.json"
    ann = token(path, "create", "--user", "ann", "--expires", "12s")  # a start may take some of them
    with serving("--tokens", str(path)) as served:
        async with connect(served.url, token=ann, reconnect=None) as client:
            await is_closed(client, "the token has expired")
        assert await refused(served.url, ann) == "UNAUTHORIZED"


async def test_the_first_token_closes_an_open_door(tmp_path: Path) -> None:
    """Who came in unasked is let go; nobody comes in unasked any more, whatever becomes of the file."""
    home = {"XDG_DATA_HOME": str(tmp_path)}
    path = tmp_path / "bamboo-gateway" / "tokens.json"
    with serving(env=home) as served:
        async with connect(served.url, reconnect=None) as client:
            ann = token(path, "create", "--user", "ann")
            await is_closed(client, "a token is asked for now")
        async with connect(served.url, token=ann, reconnect=None) as client:
            path.unlink()
            await is_closed(client, "the token was revoked")
        assert await refused(served.url, None) == "UNAUTHORIZED"


async def test_principals_of_the_settings_file(tmp_path: Path) -> None:
    """As `token create --toml` writes them, beside the one `auth_token`."""
    made = run("token", "create", "--user", "ann", "--toml", "--scope", "sessions:read")
    config = tmp_path / "bamboo.toml"
    config.write_text(f'auth_token = "sesame"\n{made.stderr}')
    with serving("--config", str(config)) as served:
        async with connect(served.url, token=made.stdout.strip(), reconnect=None) as ann:
            await ann.command("session.list")
            with pytest.raises(
                RefusedError, match=r"FORBIDDEN: gateway\.stats takes the scope metrics, which"
            ):
                await ann.command("gateway.stats")
        async with connect(served.url, token="sesame", reconnect=None) as operator:
            await operator.command("gateway.stats")
        assert await refused(served.url, None) == "UNAUTHORIZED"


async def test_a_file_that_is_named_asks_before_it_is_there(tmp_path: Path) -> None:
    """A gateway may be started first, on an address for all, and lets nobody in."""
    path = tmp_path / "tokens.json"
    with serving("--tokens", str(path), env={"BAMBOO_BIND": "0.0.0.0:0"}) as served:
        port = served.url.rpartition(":")[2]
        assert await refused(f"ws://127.0.0.1:{port}", None) == "UNAUTHORIZED"


async def test_a_guesser_is_shut_out(tmp_path: Path) -> None:
    """Ten wrong tokens in a minute; the client is told for how long, and by then it may come back."""
    with serving("--auth-token", "sesame", "--failed-tokens-block", "2") as served:
        for number in range(10):
            assert await refused(served.url, f"guess {number}") == "UNAUTHORIZED"
        with pytest.raises(ConnectError, match="429") as caught:
            async with connect(served.url, token="sesame", reconnect=None):
                pass
        assert caught.value.retry_after is not None
        assert 0 < caught.value.retry_after <= 2
        await trio.sleep(caught.value.retry_after)
        async with connect(served.url, token="sesame", reconnect=None):
            pass


async def say_much(client: Client) -> None:
    """One thing after the other."""
    for _ in range(20):
        await client.command("ping")


async def test_a_client_that_says_too_much_is_told_when_to_go_on() -> None:
    """The library raises what it was told; the connection stays."""
    with serving("--message-rate", "1") as served:
        async with connect(served.url, reconnect=None) as client:
            with pytest.raises(RefusedError) as caught:
                await say_much(client)
            assert caught.value.code == "RATE_LIMITED"
            assert caught.value.retry_after is not None
            assert 0 < caught.value.retry_after <= 1
            await trio.sleep(caught.value.retry_after)
            await client.command("ping")


def test_serve_tells_of_a_wrong_file_in_a_line(tmp_path: Path) -> None:
    """Before it listens."""
    path = tmp_path / "tokens.json"
    path.write_text("[]")
    path.chmod(0o600)
    ran = run("serve", "--bind", "127.0.0.1:0", "--tokens", str(path))
    assert ran.returncode == 2
    assert ran.stderr.startswith(f"bamboo-gateway: {path}: it is no object with a list of")
