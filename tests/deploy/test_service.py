"""The systemd unit: what systemd thinks of it, and whether it agrees with the gateway and the other files."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from bamboo_gateway.cli.duration import parse_duration
from bamboo_gateway.cli.service_manager import STOP_MARGIN
from bamboo_gateway.config import GatewayConfig
from tests.cli.process import ROOT, serving

from .shipped import DEPLOY, program, shipped

UNIT = "bamboo-gateway.service"

EXPOSURE = "15"
"""Tenths of what systemd gives to a service of which it dislikes everything, 100; most are at 90."""

INSTALLED = "/opt/bamboo-gateway/bin/bamboo-gateway"


def values(name: str) -> Sequence[str]:
    """What a setting of the unit is, as often as it is there."""
    return re.findall(rf"^{name}=(.*)$", shipped(UNIT), re.MULTILINE)


def value(name: str) -> str:
    """What a setting is that is there once."""
    [only] = values(name)
    return only


def seconds(name: str) -> float:
    """A duration, which systemd writes `1min` and the gateway `1m`."""
    return parse_duration(value(name).replace("min", "m"))


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that there is."""
    file = tmp_path / UNIT
    file.write_text(shipped(UNIT, {INSTALLED: str(Path(sys.executable).parent / "bamboo-gateway")}))
    return file


def test_systemd_has_nothing_to_say_against_it(unit: Path) -> None:
    """No setting that it does not know, none that contradicts another."""
    judged = subprocess.run(
        [program("systemd-analyze"), "verify", unit], capture_output=True, text=True, check=False
    )
    about_ours = [line for line in judged.stderr.splitlines() if "bamboo-gateway" in line]
    assert (judged.returncode, about_ours) == (0, [])


def test_it_is_shut_in(unit: Path) -> None:
    """As far as systemd can, but for what a gateway is for: sockets, and a folder of its own."""
    judge = [program("systemd-analyze"), "security", "--offline=true", f"--threshold={EXPOSURE}", str(unit)]
    judged = subprocess.run(judge, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout[-1000:]


def test_it_waits_until_turns_are_through() -> None:
    """Longer than they may take by default; and what agents have started is not stopped with the gateway."""
    assert seconds("TimeoutStopSec") >= GatewayConfig().drain_timeout + STOP_MARGIN
    assert value("KillMode") == "mixed"
    assert value("ExecReload").split()[1] == "-HUP"


def test_what_it_promises_is_told() -> None:
    """`notify` and the watchdog stand on what the gateway says of itself."""
    assert value("Type") == "notify"
    assert seconds("WatchdogSec") >= 30


def test_wrong_settings_are_not_tried_again() -> None:
    """2 is the exit code of those, and no wait mends them; anything else is tried again."""
    assert (value("Restart"), value("RestartPreventExitStatus")) == ("on-failure", "2")


def test_there_are_descriptors_for_all_connections() -> None:
    """By far, for the bound on connections is what is raised first."""
    config = GatewayConfig()
    needed = config.max_connections + config.max_unauthenticated_connections + 64
    assert int(value("LimitNOFILE")) >= 10 * needed


def test_all_files_mean_the_same_places() -> None:
    """The unit, the user and the settings: who runs it, where it writes and what it reads."""
    settings = tomllib.loads(shipped("gateway.toml"))
    folder = Path("/var/lib") / value("StateDirectory")
    assert settings["storage"] == f"sqlite:{folder}/gateway.db"
    assert settings["tokens"] == f"{folder}/tokens.json"
    assert f'bind = "unix:/run/{value("RuntimeDirectory")}/gateway.sock"' in shipped("gateway.toml")
    user = shlex.split(shipped("bamboo-gateway.sysusers.conf").splitlines()[-1])
    assert user == ["u", value("User"), "-", "Bamboo Gateway", str(folder)]
    assert shlex.split(value("ExecStart")) == [
        INSTALLED,
        "serve",
        "--config",
        "/etc/bamboo-gateway/gateway.toml",
    ]


@pytest.mark.integration
def test_the_settings_are_taken_by_a_gateway(tmp_path: Path) -> None:
    """Those that are shipped, and those that are there to be uncommented."""
    text = shipped(
        "gateway.toml", {"/var/lib/bamboo-gateway": str(tmp_path), "127.0.0.1:18790": "127.0.0.1:0"}
    )
    file = tmp_path / "gateway.toml"
    for name in ("session_max_age", "log_total_bytes"):
        assert f"#{name} = " in text
        text = text.replace(f"#{name}", name)
    file.write_text(text)
    with serving("--config", str(file), env={"BAMBOO_BIND": "", "BAMBOO_STORAGE": ""}) as server:
        assert server.line.startswith("listening on ws://127.0.0.1:")
        assert server.stop()[0] == 0
    assert (tmp_path / "gateway.db").exists()


def test_everything_that_is_shipped_is_spoken_of() -> None:
    """No file of the folder is left out of the document."""
    text = (ROOT / "docs" / "deployment.md").read_text()
    assert [each.name for each in DEPLOY.iterdir() if f"deploy/{each.name}" not in text] == []
