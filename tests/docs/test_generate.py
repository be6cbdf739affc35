from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bamboo_gateway.commands import COMMANDS
from bamboo_gateway.protocol import codec
from bamboo_gateway.protocol.codec import Dialect
from bamboo_gateway.protocol.examples import EXAMPLES
from bamboo_gateway.protocol.schema import wire_schema
from bamboo_gateway.protocol.tags import CLIENT_TAGS, EVENT_TAGS
from bamboo_gateway.token_record import scope_names

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


def generate(docs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the generator as a person would, on the documents in *docs*."""
    return subprocess.run(
        [sys.executable, str(docs / "generate.py"), *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


# ── the generator ────────────────────────────────────────────────────────────


def test_documents_say_what_the_code_does() -> None:
    """No generated part of a committed document is stale."""
    check = generate(DOCS, "--check")
    assert (check.returncode, check.stderr) == (0, "")


def test_a_stale_document_is_named_and_mended(tmp_path: Path) -> None:
    """`--check` names what is stale and changes nothing; without it the document is written anew."""
    docs = shutil.copytree(DOCS, tmp_path / "docs")
    protocol = (docs / "protocol.md").read_text()
    (docs / "protocol.md").write_text(protocol.replace("SESSION_MISMATCH` |", "SESSION_MISSED` |"))
    (docs / "protocol.schema.json").unlink()

    check = generate(docs, "--check")
    assert check.returncode == 1
    assert check.stderr.splitlines() == [
        f"docs/{name} is stale: run python docs/generate.py"
        for name in ("protocol.schema.json", "protocol.md")
    ]
    assert "SESSION_MISSED" in (docs / "protocol.md").read_text()

    assert generate(docs).returncode == 0
    assert (docs / "protocol.md").read_text() == protocol
    assert (docs / "protocol.schema.json").read_text() == (DOCS / "protocol.schema.json").read_text()


def test_a_lost_marker_is_an_error(tmp_path: Path) -> None:
    """A document that has lost the place of a table is not passed over in silence."""
    docs = shutil.copytree(DOCS, tmp_path / "docs")
    text = (docs / "configuration.md").read_text()
    (docs / "configuration.md").write_text(text.replace("<!-- /generated:settings -->", ""))
    run = generate(docs)
    assert run.returncode == 1
    assert run.stderr.startswith("configuration.md has no <!-- generated:settings -->")


# ── what the documents hold ──────────────────────────────────────────────────


def json_examples(document: Path) -> Iterator[str]:
    """Every line of every JSON block."""
    for block in re.findall(r"```json\n(.*?)```", document.read_text(), flags=re.DOTALL):
        yield from (line.strip() for line in block.splitlines() if line.strip())


def kind_of(text: str) -> tuple[Dialect, type]:
    """The dialect and class of an example, by the name of its message."""
    value = json.loads(text)
    dialect = Dialect.TAGGED if "type" in value else Dialect.SERDE
    name = value["type"] if dialect is Dialect.TAGGED else next(iter(value))
    [cls] = [cls for cls, tag in (CLIENT_TAGS | EVENT_TAGS).items() if tag.name(dialect) == name]
    return dialect, cls


@pytest.mark.parametrize("name", ["protocol.md", "commands.md"])
def test_every_example_is_a_message(name: str) -> None:
    """What the documents show can be sent as it stands: the codec reads it, and writes the same again."""
    examples = list(json_examples(DOCS / name))
    assert examples
    for text in examples:
        dialect, cls = kind_of(text)
        message = (codec.decode if cls in CLIENT_TAGS else codec.decode_event)(text, dialect)
        assert codec.encode(message, dialect).decode() == text


def test_every_message_has_an_example_in_both_dialects() -> None:
    """Nobody has to guess how a message is written."""
    shown = {kind_of(text) for text in json_examples(DOCS / "protocol.md")}
    assert shown == {(dialect, cls) for dialect in Dialect for cls in CLIENT_TAGS | EVENT_TAGS}
    assert all(type(example) is cls for cls, example in EXAMPLES.items())


def test_the_committed_schema_is_the_wire_s() -> None:
    """Whoever takes the file from the repository has the schema of this very code."""
    assert json.loads((DOCS / "protocol.schema.json").read_text()) == wire_schema()


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every link to another document, or into one, has a target."""
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        linked = document.parent / path if path else document
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_the_console_knows_what_each_command_takes() -> None:
    """The scopes that it names where a button is not there are those that the gateway asks for."""
    text = (ROOT / "bamboo_gateway/web/console/gate/permissions.js").read_text()
    named = dict(re.findall(r'^  "([a-z.]+)": "([a-z: ]+)",$', text, re.MULTILINE))
    assert len(named) > 10
    for name, scopes in named.items():
        assert set(scopes.split(" or ")) == set(scope_names(COMMANDS[name].scopes)), name
