"""docs/tutorial.md, done: every command and file of it, in terminals, with a home of its own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest

from bamboo_gateway import __version__
from tests.cli.process import ROOT, serving
from tests.docs.shell import KEYS, Shell, shell

TEXT = (ROOT / "docs" / "tutorial.md").read_text()

DEFAULT_PORT = "18790"


@attrs.frozen
class Block:
    """One box of the tutorial."""

    info: str
    text: str


def read_blocks(text: str) -> list[Block]:
    """The boxes of a document."""
    return [
        Block(*found) for found in re.findall(r"^```(\w[^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


BLOCKS = read_blocks(TEXT)


class Reader:
    """Somebody who follows the tutorial: a folder, and terminals, each opened when it is first needed."""

    def __init__(self, folder: Path, port: str, open_shell: Callable[[Path], Shell]) -> None:
        self._folder = folder
        self._port = port
        self._open_shell = open_shell
        self._terminals: dict[str, Shell] = {}

    def follow(self, block: Block) -> None:
        """Type what a box says, and see what it shows."""
        if title := re.fullmatch(r'python title="([\w.]+)"', block.info):
            (self._folder / title[1]).write_text(block.text)
        elif (kind := block.info.split())[0] == "console":
            self._talk(self._terminal(kind[1]), block.text.replace(DEFAULT_PORT, self._port))
        else:
            assert block.info == "sh install", block.info

    def _terminal(self, name: str) -> Shell:
        if name not in self._terminals:
            is_first = not self._terminals
            self._terminals[name] = self._open_shell(self._folder.parent if is_first else self._folder)
        return self._terminals[name]

    def _talk(self, terminal: Shell, text: str) -> None:
        shown: list[str] = []
        for line in text.splitlines():
            if line[:2] in {"$ ", "> "} or line in KEYS:
                terminal.wait_for(shown)
                shown = []
                _type(terminal, line)
            else:
                shown.append(line)
        terminal.wait_for(shown)


def _type(terminal: Shell, line: str) -> None:
    if line.startswith("$ "):
        terminal.run(line[2:])
    elif line.startswith("> "):
        terminal.say(line[2:])
    else:
        terminal.type(KEYS[line])


@pytest.fixture
def port() -> str:
    """One that nobody uses, in place of the gateway's own, which somebody may."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


@pytest.fixture
def home(tmp_path: Path, port: str) -> dict[str, str]:
    """The variables of somebody who has just installed the gateway, on a new machine."""
    address = f"127.0.0.1:{port}"
    kept = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
    kept |= {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "COV_"))}
    return kept | {"HOME": str(tmp_path), "BAMBOO_BIND": address, "BAMBOO_URL": f"ws://{address}"}


@pytest.fixture
def reader(tmp_path: Path, home: dict[str, str], port: str) -> Iterator[Reader]:
    """Somebody who has nothing open yet."""
    with ExitStack() as stack:
        yield Reader(tmp_path / "tea", port, lambda folder: stack.enter_context(shell(folder, home)))


@pytest.mark.integration
@pytest.mark.slow
def test_whoever_follows_the_tutorial_sees_what_it_shows(reader: Reader, home: dict[str, str]) -> None:
    """Each command does what is shown, though the gateway is killed twice in mid-answer; nothing is lost."""
    for block in BLOCKS:
        reader.follow(block)
    said = subprocess.run(
        ["bamboo-gateway", "sessions", "export", "--all", "--format", "jsonl"],
        env=home,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    numbers = " ".join(str(number) for number in range(1, 41))
    assert f"{numbers} Your black tea is ready." in said


@pytest.mark.integration
def test_the_chat_of_the_readme_is_as_it_shows(reader: Reader, home: dict[str, str]) -> None:
    """Whoever types what the README shows sees what it shows, but for ids, times and the terminal's width."""
    [block] = [
        block for block in read_blocks((ROOT / "README.md").read_text()) if block.info == "console you"
    ]
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}| {4,}|\d\.\d s$", "…", block.text, flags=re.MULTILINE)
    with serving("--bind", home["BAMBOO_BIND"]):
        reader.follow(Block(block.info, text.replace(".venv/bin/", "")))


@pytest.mark.integration
@pytest.mark.slow
def test_it_installs_as_the_tutorial_says(tmp_path: Path) -> None:
    """In a clone, and with nothing but Python, the first box makes a command that works."""
    clone = tmp_path / "clone"
    shutil.copytree(
        ROOT / "bamboo_gateway", clone / "bamboo_gateway", ignore=shutil.ignore_patterns("node_modules")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    [block] = [block.text for block in BLOCKS if block.info == "sh install"]
    kept = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    path = f"{Path(sys.base_prefix, 'bin')}:/usr/local/bin:/usr/bin:/bin"
    run = subprocess.run(
        ["bash", "-e", "-c", f"{block}\nbamboo-gateway --version"],
        cwd=clone,
        env=kept | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if "No matching distribution found for hatchling" in run.stderr and not os.environ.get(
        "BAMBOO_REQUIRE_ALL"
    ):
        pytest.skip("no package index can be reached")
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith(f"{__version__}\n")
    assert (clone / ".venv" / "bin" / "bamboo-gateway").is_file()
