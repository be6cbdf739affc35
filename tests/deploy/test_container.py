"""
The Dockerfile, as far as it can be seen without an engine that builds it.

Its steps are read, and what they say is done here: the files that it copies are
built, its environment is served in, its health check is run.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bamboo_gateway.cli.service_manager import STOP_MARGIN
from bamboo_gateway.config import GatewayConfig
from tests.cli.process import HANG, ROOT, run, serving
from tests.integration.python_client import dial
from tests.packaging.distribution import build

from .shipped import DEPLOY, program, shipped


def instructions(name: str) -> list[str]:
    """What stands behind each *name* in the Dockerfile, its lines joined."""
    text = re.sub(r"\\\n\s*", "", shipped("Dockerfile"))
    return re.findall(rf"^{name} (.*)$", text, re.MULTILINE)


def environment(data: Path) -> dict[str, str]:
    """What the image sets for a gateway, with another place for its data and a port of the system's."""
    [text] = instructions("ENV")
    pairs = dict(each.split("=", 1) for each in shlex.split(text))
    assert pairs["BAMBOO_BIND"] == "0.0.0.0:18790"
    ours = {
        name: value.replace("/data", str(data)) for name, value in pairs.items() if name.startswith("BAMBOO_")
    }
    return ours | {"BAMBOO_BIND": "0.0.0.0:0"}


def test_a_linter_has_nothing_to_say_against_it() -> None:
    """Nor its shell's."""
    linted = subprocess.run(
        [program("hadolint"), "--no-color", "--failure-threshold", "style", DEPLOY / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_compose_file_is_one() -> None:
    """By the schema of such files; it waits until turns are through."""
    schema = ["--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run(
        [program("check-jsonschema"), *schema, DEPLOY / "compose.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
    [grace] = re.findall(r"stop_grace_period: (\d+)s", shipped("compose.yaml"))
    assert int(grace) >= GatewayConfig().drain_timeout + STOP_MARGIN


def test_what_it_copies_is_enough(tmp_path: Path) -> None:
    """The same wheel is built of it; and what is kept from an engine is none of it."""
    source = tmp_path / "source"
    source.mkdir()
    allowed = {line[1:] for line in shipped("Dockerfile.dockerignore").splitlines() if line.startswith("!")}
    copied: set[str] = set()
    for step in instructions("COPY"):
        if not step.startswith("--from"):
            copied.update(step.split()[:-1])
    assert copied == allowed
    for name in copied:
        if (ROOT / name).is_dir():
            unwanted = shutil.ignore_patterns("node_modules", "__pycache__")
            shutil.copytree(ROOT / name, source / name, ignore=unwanted)
        else:
            shutil.copy(ROOT / name, source)
    whole, part = build(ROOT, tmp_path / "whole"), build(source, tmp_path / "part")
    assert part.wheel.read_bytes() == whole.wheel.read_bytes()


def test_signals_reach_the_gateway_and_nobody_is_root() -> None:
    """No shell between; a user that is not root, to whom its only place belongs."""
    assert [json.loads(each) for each in instructions("ENTRYPOINT")] == [["bamboo-gateway"]]
    assert [json.loads(each) for each in instructions("CMD")] == [["serve"]]
    assert instructions("USER") == ["10001:10001"]
    assert "install -d -o 10001 -g 10001 -m 0700 /data" in instructions("RUN")
    assert instructions("VOLUME") == ["/data"]


@pytest.mark.integration
def test_its_environment_asks_everybody_for_a_token(tmp_path: Path) -> None:
    """It listens to all networks, and lets nobody in before there is a token; health is told to anybody."""
    env = environment(tmp_path)
    [check] = instructions("HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])
    with serving(env=env) as server:
        port = server.url.rpartition(":")[2]
        healthy = [sys.executable, *(each.replace("18790", port) for each in command[1:])]
        assert subprocess.run(healthy, timeout=HANG, check=False).returncode == 0
        with dial(f"ws://127.0.0.1:{port}") as client:
            assert client.ask("connect")["code"] == "UNAUTHORIZED"
        assert server.stop()[0] == 0
    assert subprocess.run(healthy, stderr=subprocess.DEVNULL, timeout=HANG, check=False).returncode != 0
    token = run("token", "create", "--user", "ann", env=env).stdout.strip()
    with serving(env=env) as server, dial(f"ws://127.0.0.1:{server.url.rpartition(':')[2]}") as client:
        client.connect(auth=token)
    assert (tmp_path / "gateway.db").exists()
