from __future__ import annotations

import datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bamboo_gateway import GatewayConfig
from bamboo_gateway.cli import config_file, settings
from bamboo_gateway.principal import Principal, Quotas, Scope
from tests.cli.probe import invoke, probe


def write(folder: Path, text: str) -> Path:
    """A settings file."""
    path = folder / "bamboo.toml"
    path.write_text(text)
    return path


def test_a_file_gives_every_kind_of_setting(tmp_path: Path) -> None:
    """Texts, numbers, durations in words or seconds, and lists, each as TOML writes them."""
    path = write(
        tmp_path,
        """
        bind = "127.0.0.1:0"
        max_connections = 5
        heartbeat_interval = 1.5
        heartbeat_timeout = 2
        session_max_age = "24h"
        allowed_origins = ["https://a", "https://b"]
        agent = "openai"
        """,
    )
    values = probe("--config", str(path))
    assert values["bind"] == "127.0.0.1:0"
    assert values["max_connections"] == 5
    assert values["heartbeat_interval"] == 1.5
    assert values["heartbeat_timeout"] == 2
    assert values["session_max_age"] == 86400
    assert values["allowed_origins"] == ["https://a", "https://b"]
    assert values["agent"] == "openai"


def test_flag_goes_before_environment_and_that_before_file(tmp_path: Path) -> None:
    """The nearer word counts, setting by setting."""
    path = write(tmp_path, "max_connections = 1\nmax_sessions = 1\nmax_channels = 1\n")
    env = {"BAMBOO_CONFIG": str(path), "BAMBOO_MAX_SESSIONS": "2", "BAMBOO_MAX_CHANNELS": "2"}
    values = probe("--max-channels", "3", env=env)
    assert (values["max_connections"], values["max_sessions"], values["max_channels"]) == (1, 2, 3)


PRINCIPAL = f"""
[[principals]]
id = "a1"
user_id = "ann"
scopes = ["chat", "metrics"]
digest = "sha256:{"0" * 64}"
expires_at = 2030-01-01T00:00:00Z
quotas = {{ max_sessions = 5 }}
"""


def test_principals_come_from_the_file_alone(tmp_path: Path) -> None:
    """As records, each checked; they are no option, and no variable."""
    values = config_file.read(write(tmp_path, PRINCIPAL + PRINCIPAL.replace("a1", "a2")))
    [first, second] = settings.pick(GatewayConfig, settings_of(values)).principals
    assert (first.id, second.id) == ("a1", "a2")
    assert first.principal() == Principal(
        "ann",
        frozenset({Scope.CHAT, Scope.METRICS}),
        datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC).timestamp(),
        Quotas(max_sessions=5),
        "a1",
        "sha256:" + "0" * 64,
    )
    assert probe(env={"BAMBOO_PRINCIPALS": "x"})["principals"] == []


def test_serve_is_given_them(tmp_path: Path) -> None:
    """With all the other settings."""
    seen: list[object] = []

    @click.command
    @config_file.option
    @settings.options
    def command(**values: object) -> None:
        seen.append(values["principals"])

    path = write(tmp_path, PRINCIPAL)
    assert CliRunner().invoke(command, ["--config", str(path)]).exit_code == 0
    assert [[record.id for record in each] for each in seen] == [["a1"]]  # type: ignore[attr-defined]  # records


def settings_of(values: dict[str, object]) -> dict[str, object]:
    """All settings: those of a file, and for the others their defaults."""
    return probe() | values


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("principals = 'ann'", "principals: a list of tables is written [[principals]]"),
        ("[principals]\nid = 'a'", "principals: a list of tables is written [[principals]]"),
        ("[[principals]]\nid = 'a'", "principals: [0]: user_id is missing"),
        (PRINCIPAL + "scope = []", "principals: [0]: unknown key 'scope'; there are id, user_id, scopes"),
        (PRINCIPAL + PRINCIPAL, "principals: two tokens have the id a1; take one of them out"),
        ("max_conections = 1", "unknown key 'max_conections'; did you mean 'max_connections'?"),
        ("zzz = 1", "unknown key 'zzz'"),
        ("[serve]\nbind = 1", "unknown key 'serve'"),
        ("max_connections = '5'", "max_connections: '5' is no whole number from 0"),
        ("max_connections = true", "max_connections: True is no whole number from 0"),
        ("max_sessions = 0", "max_sessions: 0 is no whole number from 1"),
        ("heartbeat_interval = 'soon'", "heartbeat_interval: 'soon' is no duration, such as 30, 90s"),
        ("heartbeat_interval = []", "heartbeat_interval: [] is no number of seconds"),
        ("bind = 18790", "bind: 18790 is no text"),
        ("auth_token = ''", "auth_token: must be a text of at least one character"),
        ("allowed_origins = 'https://a'", "allowed_origins: 'https://a' is no list"),
        ("allowed_origins = [1]", "allowed_origins: [1] is no list of texts"),
        ("log_format = 'xml'", "log_format: 'xml' is no text or json"),
        ("bind =", "no TOML: Invalid value (at "),
    ],
)
def test_a_wrong_file_is_one_clear_error(tmp_path: Path, text: str, says: str) -> None:
    """It names the file and the key, and says what would do."""
    path = write(tmp_path, text)
    with pytest.raises(click.UsageError) as error:
        config_file.read(path)
    assert str(error.value).startswith(f"{path}: {says}")


def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    """Missing, a folder, or no text at all."""
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    for path, says in (
        (tmp_path / "missing.toml", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (binary, "no TOML: "),
    ):
        result = invoke("--config", str(path))
        assert result.exit_code == 2
        assert f"{path}: {says}" in result.stderr
