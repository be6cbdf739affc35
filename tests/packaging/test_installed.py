"""The wheel in an environment of its own, with what it asks for and nothing of ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import attrs
import pytest

from bamboo_gateway.version import __version__
from tests.cli.process import HANG, ROOT, environment

from .distribution import Distribution

pytestmark = [pytest.mark.integration, pytest.mark.slow]

INSTALL_TIMEOUT = 240.0
"""Seconds that an index may take."""

INDEX = ROOT / "bamboo_gateway" / "web" / "index.html"

EVERY_MODULE = """
import importlib, pkgutil, bamboo_gateway
for module in pkgutil.walk_packages(bamboo_gateway.__path__, "bamboo_gateway."):
    if module.name != "bamboo_gateway.__main__":
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            if error.name not in ("httpx", "httpx_sse", "tenacity"):
                raise
"""
"""Imports all that works without extras."""


@attrs.frozen
class Installed:
    """An environment that the wheel was installed into, and an empty folder to be in."""

    prefix: Path
    folder: Path

    def run(self, program: str, *args: str) -> str:
        """Run a program of it to its end; return what it says."""
        done = subprocess.run(
            [self.prefix / "bin" / program, *args],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve for as long as the block lasts; the gateway's host and port."""
        with subprocess.Popen(
            [self.prefix / "bin" / "bamboo-gateway", "serve", "--bind", "127.0.0.1:0"],
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                yield next(line for line in process.stdout if "ws://" in line).split("ws://")[1].split()[0]
                process.terminate()
                assert process.wait(HANG) == 0
            finally:
                process.kill()

    def _environment(self) -> dict[str, str]:
        """Nothing that would lead to the source, nor to this environment."""
        leads = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONSAFEPATH")
        return {name: value for name, value in environment().items() if name not in leads}


def _pip(prefix: Path, command: str, *args: object) -> subprocess.CompletedProcess[str]:
    """Have pip do something to the environment *prefix*, from without; or uv, where `make` has used that."""
    uv = shutil.which("uv")
    tool = [uv, "pip", command] if uv else [sys.executable, "-m", "pip", command]
    environ = os.environ | {"PIP_PYTHON": str(prefix), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return subprocess.run(
        [*tool, *(["--python", str(prefix)] if uv else []), *map(str, args)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=INSTALL_TIMEOUT,
        check=False,
    )


def install(wheel: Path, folder: Path) -> Installed:
    """Install *wheel* and what it asks for; where no index answers, skip, unless nothing may be skipped."""
    prefix = folder / "venv"
    venv.create(prefix, symlinks=True, with_pip=False)
    done = _pip(prefix, "install", "-q", wheel)
    if done.returncode and not os.environ.get("BAMBOO_REQUIRE_ALL"):
        pytest.skip(f"needs a package index: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr
    checked = _pip(prefix, "check")
    assert checked.returncode == 0, checked.stdout
    (folder / "empty").mkdir()
    return Installed(prefix, folder / "empty")


def test_it_installs_clean_and_serves(distribution: Distribution, tmp_path: Path) -> None:
    """
    What the wheel asks for is enough, and fits together; no import warns.

    The command is there, serves the pages and WebSockets, and stops when it is told to.
    """
    it = install(distribution.wheel, tmp_path)
    assert it.run("bamboo-gateway", "--version").split()[-1] == __version__
    assert it.run("python", "-W", "error", "-c", EVERY_MODULE) == ""
    with it.serving() as place:
        assert (
            json.loads(it.run("bamboo-gateway", "call", "status", "--url", f"ws://{place}"))["state"]
            == "idle"
        )
        with urlopen(f"http://{place}/version", timeout=HANG) as answer:
            assert json.load(answer)["version"] == __version__
        if INDEX.exists():
            with urlopen(f"http://{place}/", timeout=HANG) as answer:
                assert answer.read() == INDEX.read_bytes()
