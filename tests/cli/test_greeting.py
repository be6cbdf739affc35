from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from bamboo_gateway import GatewayConfig
from bamboo_gateway.cli.greeting import console_url, lines, websocket_url, why_no_console
from bamboo_gateway.cli.settings import ServeConfig
from bamboo_gateway.config import Address, UnixAddress

OURS = ServeConfig(storage="memory:")
DEFAULT = Address("127.0.0.1", 18790)


def greet(
    address: Address | UnixAddress = DEFAULT, *, asks_who: bool = False, **settings: Any
) -> dict[str, str]:
    """What is said, by the word that each line begins with."""
    config = GatewayConfig(**{"bind": str(address)} | settings)
    said = [line.split(maxsplit=1) for line in lines(config, OURS, address, asks_who=asks_who)]
    return {first: rest.strip() for first, rest in said[:-1]}


def test_whoever_starts_a_gateway_is_told_how_to_get_to_it() -> None:
    """In so many words; where it listens by default, `chat` needs no more."""
    assert list(lines(GatewayConfig(), OURS, DEFAULT, asks_who=False)) == [
        "  console  http://127.0.0.1:18790/",
        "  chat     bamboo-gateway chat",
        "  agent    echo",
        "  storage  memory, until it stops; --storage sqlite: keeps sessions",
        "  tokens   not asked for: who reaches it may do everything",
        "Ctrl-C stops it.",
    ]


@pytest.mark.parametrize(
    ("address", "console", "url"),
    [
        (Address("127.0.0.1", 7), "http://127.0.0.1:7/", "ws://127.0.0.1:7"),
        (Address("0.0.0.0", 7), "http://127.0.0.1:7/", "ws://127.0.0.1:7"),  # noqa: S104 -- nothing is bound
        (Address("::", 7), "http://[::1]:7/", "'ws://[::1]:7'"),
        (Address("localhost", 7), "http://localhost:7/", "ws://localhost:7"),
        (UnixAddress("/run/a b"), None, "'unix:/run/a b'"),
    ],
)
def test_the_addresses_work_on_this_machine(
    address: Address | UnixAddress, console: str | None, url: str
) -> None:
    """Also where it listens on all that there are; and in a shell."""
    said = greet(address, auth_token="x")
    assert said.get("console") == console
    assert said["chat"] == f"bamboo-gateway chat --url {url}"


def test_with_tls_it_is_another_scheme() -> None:
    """For the browser as for `chat`."""
    config = attrs.evolve(GatewayConfig(), tls_cert="cert.pem")
    assert console_url(config, DEFAULT) == "https://127.0.0.1:18790/"
    assert websocket_url(config, DEFAULT) == "wss://127.0.0.1:18790"


def test_there_may_be_no_console() -> None:
    """And there is a reason."""
    assert "console" not in greet(console=False)
    assert why_no_console(GatewayConfig(console=False)) == "the setting `console` is off"
    assert "no browser can open a socket" in str(why_no_console(GatewayConfig(bind="unix:/x")))
    assert why_no_console(GatewayConfig()) is None


@pytest.mark.parametrize(
    ("storage", "said"), [("sqlite:/a/b.db", "/a/b.db"), ("sqlite:", "/data/bamboo-gateway/gateway.db")]
)
def test_the_storage_is_a_file(storage: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name."""
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    told = list(lines(GatewayConfig(), ServeConfig(storage=storage), DEFAULT, asks_who=True))
    assert f"  storage  {said}" in told
    assert Path(said).is_absolute()
    assert any(line.startswith("  tokens   asked for: ") for line in told)
