"""What is in the wheel and in the sdist, and what is not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from pathlib import Path

from bamboo_gateway.version import __version__
from tests.cli.process import ROOT

from .distribution import Distribution, build

PACKAGE = ROOT / "bamboo_gateway"

SERVED = re.compile(r"bamboo_gateway/web/(index\.html|(console|client|vendor)/.+)")
"""Where what a browser may ask for is kept."""

DEVELOPMENT = re.compile(
    r"(.*\.(mjs|pyc)|.*/web/[^/]*\.json|.*/vendor/.*\.d\.ts|.*/(\.[^/]*|node_modules/.*|__pycache__/.*|test[^/]*))"
)
"""What the package is made and checked with, and nobody needs who only runs it."""


OTHERS = {
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "bamboo_gateway/web/package.json",
    "deploy/bamboo-gateway.service",
    "docs/operations.md",
    "pyproject.toml",
    "tests/packaging/test_contents.py",
}
"""Of what is in the sdist beside the package, one of each kind."""


def package_files() -> set[str]:
    """What belongs to the package in this source, whatever lies about besides."""
    names = (path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*") if path.is_file())
    return {name for name in names if not DEVELOPMENT.fullmatch(name)}


def test_the_wheel_is_the_package_and_nothing_else(distribution: Distribution) -> None:
    """All modules, the marker of types, the pages and the client's types; no tests and no lock files."""
    names = {name for name in distribution.wheel_files() if ".dist-info/" not in name}
    assert names == package_files()
    assert "bamboo_gateway/py.typed" in names
    web = {name for name in names if name.startswith("bamboo_gateway/web/")}
    assert [name for name in web if not SERVED.fullmatch(name)] == []
    client = {name.removeprefix("bamboo_gateway/web/client/") for name in web}
    assert client >= {"package.json", "bamboo.js", "types/bamboo.d.ts", "types/messages.d.ts"}
    assert [name for name in names - web if not name.endswith(".py")] == ["bamboo_gateway/py.typed"]


def test_the_client_is_of_the_same_version() -> None:
    """As an npm package it comes from the same place, and says so."""
    assert json.loads((PACKAGE / "web/client/package.json").read_text())["version"] == __version__


def test_what_others_have_written_comes_with_its_licence(distribution: Distribution) -> None:
    """Each library of the pages has one beside it; so has the package itself."""
    files = distribution.wheel_files()
    libraries = {name.split("/")[3] for name in files if name.startswith("bamboo_gateway/web/vendor/")}
    assert libraries
    for library in libraries:
        assert len(files[f"bamboo_gateway/web/vendor/{library}/LICENSE"]) > 200
    [licence] = [text for name, text in files.items() if name.endswith(".dist-info/licenses/LICENSE")]
    assert licence == (ROOT / "LICENSE").read_bytes()


def test_the_metadata_is_whole(distribution: Distribution) -> None:
    """An index takes it, to the letter; it says which version this is, its licence, and what it needs."""
    twine = [sys.executable, "-m", "twine", "--no-color", "check", "--strict"]
    judged = subprocess.run(
        [*twine, distribution.wheel, distribution.sdist], capture_output=True, text=True, check=False
    )
    assert (judged.returncode, judged.stdout.count("PASSED")) == (0, 2), judged.stdout
    said = distribution.metadata()
    assert (said["Name"], said["Version"]) == ("bamboo-gateway", __version__)
    assert (said["License-Expression"], said["Requires-Python"]) == ("MIT", ">=3.11")
    assert "# Bamboo Gateway" in str(said.get_payload())
    needed = [each for each in said.get_all("Requires-Dist", []) if "extra ==" not in each]
    assert "trio" in " ".join(needed)
    assert "pytest" not in " ".join(needed)


def test_nothing_tells_where_it_was_built(distribution: Distribution) -> None:
    """No path of the machine that built it is in any file, nor is any name absolute."""
    here = [
        str(place).encode()
        for place in {ROOT, Path(sys.prefix).resolve(), Path.home()}
        if len(str(place)) > 5
    ]
    for files in (distribution.wheel_files(), distribution.sdist_files()):
        for name, content in files.items():
            assert not name.startswith("/")
            assert ".." not in name.split("/")
            assert [place for place in here if place in content] == [], name


def test_the_sdist_has_all_that_the_wheel_is_made_and_checked_with(distribution: Distribution) -> None:
    """The source, its tests, its documents, what it is deployed with; nothing that a tool has left."""
    names = set(distribution.sdist_files())
    assert names >= package_files()
    assert names >= OTHERS
    assert [
        name for name in names if re.search(r"node_modules/|__pycache__|\.pyc$|(^|/)\.(venv|git/)", name)
    ] == []


def test_a_build_can_be_repeated(distribution: Distribution, tmp_path: Path) -> None:
    """The sdist, unpacked elsewhere under another umask, becomes the same wheel and sdist, to the byte."""
    with tarfile.open(distribution.sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    [source] = (tmp_path / "source").iterdir()
    again = build(source, tmp_path / "dist", umask=0o077)
    assert again.wheel.name == distribution.wheel.name
    assert again.wheel.read_bytes() == distribution.wheel.read_bytes()
    assert again.sdist.read_bytes() == distribution.sdist.read_bytes()
