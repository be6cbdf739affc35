"""What the documents say is so: links lead somewhere, snippets run, and transcripts happen again."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio_websocket import WebSocketConnection, open_websocket_url

from bamboo_gateway import Gateway, GatewayConfig
from bamboo_gateway.agents import load_agent

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_INLINE_CODE = re.compile(r"`[^`\n]*`")


@attrs.frozen
class Snippet:
    """A fenced block of a document."""

    place: str
    """Document and line, as a test's id."""
    info: str
    """What stands behind the backticks: a language, and what the tests shall do with it."""
    text: str


def _read_snippets(document: Path) -> Iterator[Snippet]:
    source = document.read_text()
    for match in _FENCE.finditer(source):
        line = source.count("\n", 0, match.start()) + 1
        place = f"{document.relative_to(ROOT)}:{line}"
        yield Snippet(place, match["info"].strip(), textwrap.dedent(match["text"]))


SNIPPETS = [snippet for document in DOCUMENTS for snippet in _read_snippets(document)]


def parameters(*infos: str) -> list[Any]:
    """Every snippet with one of *infos*, as a parameter of a test."""
    return [pytest.param(snippet, id=snippet.place) for snippet in SNIPPETS if snippet.info in infos]


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of *document*."""
    seen: Counter[str] = Counter()
    found: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", document.read_text())):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


@pytest.mark.parametrize(
    "document", [pytest.param(each, id=str(each.relative_to(ROOT))) for each in DOCUMENTS]
)
def test_every_link_leads_somewhere(document: Path) -> None:
    """A link to a file finds it, and a link to a heading finds that."""
    prose = _INLINE_CODE.sub("", _FENCE.sub("", document.read_text()))
    dead: list[str] = []
    for link in _LINK.findall(prose):
        if link.startswith(("https://", "http://")):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("snippet", parameters("python", "python run"))
def test_python_compiles(snippet: Snippet) -> None:
    """Python in the documents is Python; a snippet may await as if it stood in an async function."""
    compile(snippet.text, snippet.place, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("snippet", parameters("js"))
def test_javascript_compiles(snippet: Snippet, tmp_path: Path) -> None:
    """JavaScript in the documents is a module that a browser would read; without Node, nobody knows."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    module = tmp_path / "snippet.mjs"
    module.write_text(snippet.text)
    run = subprocess.run([node, "--check", module], capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.integration
@pytest.mark.parametrize("snippet", parameters("python run"))
def test_programs_run(snippet: Snippet) -> None:
    """A program that is marked `run` ends well, without a warning."""
    command = [sys.executable, "-W", "error", "-c", snippet.text]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (0, "")


# ── transcripts ──────────────────────────────────────────────────────────────

GENERATED = {"session_id", "epoch", "run_id", "connection_id"}
"""Fields whose values differ from run to run, each shown value standing for one real value."""


class Replay:
    """A transcript, lived through again."""

    def __init__(self) -> None:
        self._real: dict[str, str] = {}

    async def run(self, websocket: WebSocketConnection, transcript: str) -> None:
        """Send what stands behind `>`; what then comes must be what stands behind `<`."""
        for direction, message in _messages(transcript):
            if direction == ">":
                known = {key: self._real.get(value, value) for key, value in message.items()}
                await websocket.send_message(json.dumps(known))
            else:
                with trio.fail_after(10):
                    self._compare(message, json.loads(await websocket.get_message()))

    def _compare(self, shown: dict[str, Any], real: dict[str, Any]) -> None:
        assert list(shown) == list(real)
        for key in shown.keys() - {"ts"}:
            expected = self._real.setdefault(shown[key], real[key]) if key in GENERATED else shown[key]
            assert expected == real[key], key


def _messages(transcript: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The messages and their directions; a line that begins with a space continues the one above."""
    for line in transcript.replace("\n ", " ").splitlines():
        if line.startswith((">", "<")):
            yield line[0], json.loads(line[1:])


async def test_transcripts_happen_again(nursery: trio.Nursery) -> None:
    """Whoever types what the README shows is answered as it shows, connection after connection."""
    gateway = Gateway(GatewayConfig(bind="127.0.0.1:0"), agent=load_agent("echo"))
    [address] = await nursery.start(gateway.serve)
    replay = Replay()
    transcripts = [snippet.text for snippet in SNIPPETS if snippet.info == "console transcript"]
    assert transcripts
    for transcript in transcripts:
        async with open_websocket_url(f"ws://{address}") as websocket:
            await replay.run(websocket, transcript)
    await gateway.stop()


# ── the design ───────────────────────────────────────────────────────────────

DESIGN = (ROOT / "docs/design.md").read_text()


def test_the_design_names_files_that_exist() -> None:
    """A module that has moved has moved in the design as well."""
    named = set(re.findall(r"`([\w/]+\.py|[a-z]+/)`", DESIGN))
    package = ROOT / "bamboo_gateway"
    lost = [
        name for name in named if not ((ROOT / name).exists() or list(package.rglob(name.removesuffix("/"))))
    ]
    assert named
    assert lost == []


def test_each_dependency_earns_its_place_in_the_design() -> None:
    """No library comes in without a reason."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["openai"], *extras["dev"]]
    names = {match[0] for each in wanted if (match := re.match(r"[\w-]+", each.removeprefix("types-")))}
    names -= {"bamboo-gateway"}  # the extra `dev` holds the others
    section = DESIGN.partition("## Dependencies")[2].partition("\n## ")[0]
    assert {name for name in names if not re.search(rf"(?<![\w-]){name}(?![\w-])", section)} == set()
