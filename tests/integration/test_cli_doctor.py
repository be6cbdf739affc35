from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process import run, serving

pytestmark = pytest.mark.integration

TOKEN = "a token that is long enough"

FILE = """
max_connections = 2
bnd = "127.0.0.1:0"
message_rate = "many"
"""


@pytest.fixture
def healthy(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing is wrong."""
    return {"XDG_DATA_HOME": str(tmp_path), "BAMBOO_MAX_CONNECTIONS": "10", "BAMBOO_BIND": "127.0.0.1:0"}


def findings(*args: str, env: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """What `doctor` finds, each as (about, verdict, text)."""
    ran = run("doctor", "--json", *args, env=env)
    assert ran.stderr == ""
    for line in ran.stdout.splitlines():
        found = json.loads(line)
        yield found["about"], found["verdict"], found["text"]


def test_doctor_where_all_is_well(healthy: dict[str, str]) -> None:
    """A line for each thing, none of them amiss; exit code 0, and nothing was made."""
    ran = run("doctor", "--storage", "sqlite:", env=healthy)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    *lines, empty, last = ran.stdout.splitlines()
    assert (empty, last) == ("", "All is well.")
    assert [line.split("  ")[0] for line in lines if not line.startswith(" ")] == [
        "✓ versions",
        "✓ settings",
        "✓ environment",
        "✓ port",
        "✓ who may come",
        "✓ tokens",
        "✓ storage",
        "✓ disk",
        "✓ agent",
        "✓ clock",
        "✓ file limit",
    ]
    assert list(Path(healthy["XDG_DATA_HOME"]).iterdir()) == []


def test_doctor_finds_all_faults_at_once(healthy: dict[str, str], tmp_path: Path) -> None:
    """Where `serve` tells the first: in the file, in the environment, between settings; exit code 1."""
    file = tmp_path / "bamboo.toml"
    file.write_text(FILE)
    env = healthy | {"BAMBOO_MAX_CONECTIONS": "1", "BAMBOO_HEAD_TIMEOUT": "soon", "BAMBOO_MAX_SESSIONS": "x"}
    args = ("--config", str(file), "--tls-key", "k.pem", "--agent", "ecko")
    found = list(findings(*args, env=env))
    assert [(about, text) for about, verdict, text in found if verdict != "well"] == [
        ("settings", f"{file}: unknown key 'bnd'; did you mean 'bind'?"),
        ("settings", f"{file}: message_rate: 'many' is no number a second from 0 to 9007199254740991"),
        ("environment", "BAMBOO_HEAD_TIMEOUT: 'soon' is no duration, such as 30, 90s, 15m, 24h or 7d"),
        ("environment", "BAMBOO_MAX_SESSIONS: 'x' is no whole number from 1 to 9007199254740991"),
        ("environment", "nothing reads BAMBOO_MAX_CONECTIONS; did you mean 'BAMBOO_MAX_CONNECTIONS'?"),
        ("settings", "tls_key: a key alone is of no use"),
        ("agent", "'ecko' is none of echo, openai, python:module:function"),
    ]
    assert run("doctor", *args, env=env).returncode == 1


def test_doctor_goes_on_without_a_file_that_cannot_be_read(healthy: dict[str, str]) -> None:
    """The rest is looked at all the same."""
    found = list(findings("--config", "/nowhere.toml", env=healthy))
    assert found[1] == ("settings", "fault", "/nowhere.toml: No such file or directory")
    assert found[-1][:2] == ("file limit", "well")


def test_doctor_takes_the_settings_that_serve_would_take(healthy: dict[str, str], tmp_path: Path) -> None:
    """Flag before environment before file, also where one of these is wrong."""
    file = tmp_path / "bamboo.toml"
    file.write_text("max_connections = 7\n")
    env = healthy | {"BAMBOO_MAX_CONNECTIONS": "many"}
    assert "for 7 connections" in list(findings("--config", str(file), env=env))[-1][2]
    args = ("--config", str(file), "--max-connections", "5")
    assert "for 5 connections" in list(findings(*args, env=env))[-1][2]


def test_doctor_beside_a_gateway_that_runs(healthy: dict[str, str]) -> None:
    """It is known as one, on its port and in its file, and neither is a fault."""
    with serving("--storage", "sqlite:", "--auth-token", TOKEN, env=healthy) as server:
        address = server.url.removeprefix("ws://")
        args = ("--bind", address, "--storage", "sqlite:", "--auth-token", TOKEN)
        found = {about: (verdict, text) for about, verdict, text in findings(*args, env=healthy)}
        assert run("doctor", *args, env=healthy).returncode == 0
        pid = server.process.pid
    assert found["port"][0] == "warning"
    assert found["port"][1].startswith(
        f"a bamboo-gateway 0.1.0 listens on {address} already (process {pid}, "
    )
    assert found["storage"][0] == "warning"
    assert found["storage"][1].endswith(f": process {pid}")
    assert found["who may come"][1].endswith("everybody has to show a token")


def test_doctor_reads_secrets_from_their_files(healthy: dict[str, str], tmp_path: Path) -> None:
    """As `serve` does; that a file cannot be read is a finding like any other."""
    path = tmp_path / "secret"
    path.write_text(TOKEN)
    found = {about: text for about, _, text in findings(env=healthy | {"BAMBOO_AUTH_TOKEN_FILE": str(path)})}
    assert found["environment"].endswith("variables for the gateway")
    assert found["who may come"].endswith("everybody has to show a token")
    env = healthy | {"BAMBOO_AUTH_TOKEN_FILE": "/nowhere"}
    wrong = [text for _, verdict, text in findings(env=env) if verdict != "well"]
    assert wrong == ["BAMBOO_AUTH_TOKEN_FILE: /nowhere: No such file or directory"]


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["--max-conections", "1"], 2, "No such option '--max-conections'"),
        (["--max-connections", "many"], 2, "'many' is no whole number"),
        (["--tokens", "~nobody-at-all/x"], 2, "tokens: ~nobody-at-all/x: "),
    ],
)
def test_doctor_that_is_called_wrongly_says_so(args: list[str], code: int, says: str) -> None:
    """What was typed is the caller's own error, and no finding."""
    ran = run("doctor", *args)
    assert ran.returncode == code
    assert says in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_doctor_shows_no_token(healthy: dict[str, str]) -> None:
    """Neither a good one nor a bad one."""
    for secret in ("sesame", TOKEN):
        ran = run("doctor", env=healthy | {"BAMBOO_AUTH_TOKEN": secret})
        assert secret not in ran.stdout
