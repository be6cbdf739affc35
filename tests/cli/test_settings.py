from __future__ import annotations

import attrs
import click
import pytest

from bamboo_gateway import GatewayConfig
from bamboo_gateway.cli import settings
from bamboo_gateway.cli.settings import OPTIONS, SETTINGS, ServeConfig
from tests.cli import probe as probing
from tests.cli.probe import invoke, probe

NAMES = sorted(OPTIONS)


def test_every_setting_of_a_gateway_can_be_given() -> None:
    """Nothing that a program can set is out of the command line's reach; tables have to be in a file."""
    assert {field.name for field in attrs.fields(GatewayConfig)} <= set(SETTINGS)
    assert SETTINGS.keys() - OPTIONS.keys() == {"principals"}


def test_what_is_not_given_has_the_gateways_own_default() -> None:
    """`serve` without arguments is `GatewayConfig()`."""
    values = probe()
    values["allowed_origins"] = tuple(values["allowed_origins"])
    assert settings.pick(GatewayConfig, values) == GatewayConfig()
    assert settings.pick(ServeConfig, values) == ServeConfig()


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_flag_and_a_variable(name: str) -> None:
    """Both are made of its name; a list's flag is singular, for it is given once an item."""
    [option] = [param for param in probing.command.params if param.name == name]
    assert isinstance(option, click.Option)
    singular = {"allowed_origins": "allowed_origin", "trusted_proxies": "trusted_proxy"}.get(name, name)
    assert option.opts == [f"--{singular.replace('_', '-')}"]
    assert option.envvar == f"BAMBOO_{name.upper()}"
    assert option.help


@pytest.mark.parametrize(
    ("flag", "name", "text", "value"),
    [
        ("--bind", "bind", "[::1]:0", "[::1]:0"),
        ("--auth-token", "auth_token", "s3cret", "s3cret"),
        ("--max-connections", "max_connections", "7", 7),
        ("--max-queued-chats", "max_queued_chats", "0", 0),
        ("--max-message-bytes", "max_message_bytes", "4096", 4096),
        ("--heartbeat-interval", "heartbeat_interval", "90s", 90.0),
        ("--session-max-age", "session_max_age", "7d", 604800.0),
        ("--connect-timeout", "connect_timeout", "2.5", 2.5),
        ("--agent", "agent", "python:examples.agent:agent", "python:examples.agent:agent"),
        ("--storage", "storage", "memory:", "memory:"),
        ("--log-format", "log_format", "json", "json"),
    ],
)
def test_a_value_is_read_from_flag_and_variable_alike(flag: str, name: str, text: str, value: object) -> None:
    """What is typed and what is in the environment mean the same."""
    assert probe(flag, text)[name] == value
    assert probe(env={settings.variable(name): text})[name] == value


def test_a_list_is_given_item_by_item() -> None:
    """The flag is repeated; in a variable, spaces part the items."""
    assert probe("--allowed-origin", "https://a", "--allowed-origin", "https://b")["allowed_origins"] == [
        "https://a",
        "https://b",
    ]
    assert probe(env={"BAMBOO_ALLOWED_ORIGINS": "https://a https://b"})["allowed_origins"] == [
        "https://a",
        "https://b",
    ]


def test_what_is_on_by_itself_can_be_switched_off() -> None:
    """By a flag of its own, or in the environment."""
    assert probe()["console"] is probe("--console", env={"BAMBOO_CONSOLE": "false"})["console"] is True
    assert probe("--no-console")["console"] is probe(env={"BAMBOO_CONSOLE": "0"})["console"] is False


def test_a_flag_goes_before_a_variable() -> None:
    """The nearer word counts."""
    assert probe("--max-connections", "1", env={"BAMBOO_MAX_CONNECTIONS": "2"})["max_connections"] == 1


def test_an_empty_variable_is_none() -> None:
    """`BAMBOO_X=` is how a shell unsets what it cannot unset."""
    assert probe(env={"BAMBOO_MAX_CONNECTIONS": ""})["max_connections"] == GatewayConfig().max_connections


@pytest.mark.parametrize(
    ("flag", "text", "says"),
    [
        ("--bind", "nowhere", "'nowhere' is no HOST:PORT"),
        ("--auth-token", "", "must be a text of at least one character"),
        ("--max-connections", "many", "'many' is no whole number"),
        ("--max-sessions", "0", "0 is no whole number from 1"),
        ("--max-message-bytes", "1.5", "'1.5' is no whole number"),
        ("--heartbeat-interval", "soon", "'soon' is no duration, such as 30, 90s"),
        ("--heartbeat-interval", "0", "0.0 is no number of seconds"),
        ("--storage", "redis:", "'redis:' is none of memory:, sqlite:"),
        ("--log-level", "loud", "'loud' is no debug or info or warning or error"),
    ],
)
def test_a_wrong_value_is_one_clear_error(flag: str, text: str, says: str) -> None:
    """It names flag and variable, and says what would do."""
    result = invoke(flag, text)
    assert result.exit_code == 2
    [line] = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert f"'{flag}' (env var: 'BAMBOO_{flag[2:].replace('-', '_').upper()}'): {says}" in line
