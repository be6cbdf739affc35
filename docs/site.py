"""
Builds the documentation site: `python docs/site.py` makes build/site.

The documents are written to be read where they lie, with links from file to file.
The site is flat, so they are staged in build/pages, and each link is turned on the
way: one that leads to nothing of the site is an error. The built pages are read
once more: a dead anchor, or anything that a browser would fetch from elsewhere, is
an error, too.
"""

from __future__ import annotations

import ast
import os
import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "build" / "pages"
SITE = ROOT / "build" / "site"

_ASSETS = {".svg", ".png", ".gif", ".json", ".cast"}

_CODE_OR_LINK = re.compile(
    r"^(?P<indent> *)(?P<mark>```+)(?P<language>\w*)(?P<rest>[^\n]*)(?P<block>.*?)^(?P=indent)(?P=mark)$"
    r"|`[^`\n]*`"
    r"|(?P<before>!?\[[^\]]*\]\()(?P<link>[^)\s]+)\)",
    re.MULTILINE | re.DOTALL,
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class SiteError(Exception):
    """What is wrong with the site, a fault a line."""


# ── staging ──────────────────────────────────────────────────────────────────


def site_paths(root: Path) -> Mapping[str, str]:
    """Where each file of *root* that is part of the site stands there, by its own path."""
    documents = {f"docs/{path.name}": path.name for path in root.glob("docs/*.md")}
    assets = {
        (name := path.relative_to(root).as_posix()): name.removeprefix("docs/")
        for path in [*root.glob("docs/*.*"), *root.glob("docs/*/*.*")]
        if path.suffix in _ASSETS
    }
    programs = {
        f"examples/{path.name}": f"examples/{path.stem}.md"
        for path in root.glob("examples/*.*")
        if path.suffix in _SUMMARIES
    }
    top = {path.name: path.name.lower() for path in root.glob("*.md")}
    special = {"README.md": "index.md", "LICENSE": "license.md", "examples": "examples/index.md"}
    return documents | assets | programs | top | special


def stage(root: Path, pages: Path) -> None:
    """
    Write the sources of the site to *pages*, anew.

    Raises:
        SiteError: Links lead nowhere, or out of the site.
    """
    shutil.rmtree(pages, ignore_errors=True)
    paths = site_paths(root)
    faults: list[str] = []
    for name, path in paths.items():
        (pages / path).parent.mkdir(parents=True, exist_ok=True)
        if Path(name).suffix in _ASSETS:
            shutil.copyfile(root / name, pages / path)
        else:
            (pages / path).write_text(_page(root, name, paths, faults), encoding="utf-8")
    if faults:
        raise SiteError("\n".join(faults))


def _page(root: Path, name: str, paths: Mapping[str, str], faults: list[str]) -> str:
    """The page that the file *name* becomes."""
    if name == "examples":
        return _program_list(root / name)
    text = (root / name).read_text("utf-8")
    if (kind := Path(name).suffix) in _SUMMARIES:
        return f"# {Path(name).name}\n\n`{name}`, which runs as a test.\n\n```{kind[1:]}\n{text}```\n"
    if name == "LICENSE":
        return f"# Licence\n\n```text\n{text}```\n"
    return turn_links(text, lambda link: _turn(name, link, paths, faults))


def _program_list(folder: Path) -> str:
    programs = [path for path in sorted(folder.iterdir()) if path.suffix in _SUMMARIES]
    rows = [f"| [{path.name}]({path.stem}.md) | {_SUMMARIES[path.suffix](path)} |" for path in programs]
    return "\n".join(["# Examples", "", "Each runs as a test.", "", "| program | |", "|---|---|", *rows, ""])


def _docstring(program: Path) -> str:
    doc = ast.get_docstring(ast.parse(program.read_text("utf-8"))) or ""
    return doc.partition("\n\n")[0].replace("\n", " ")


def _title(page: Path) -> str:
    found = re.search(r"<title>(.*?)</title>", page.read_text("utf-8"))
    return found[1] if found else ""


_SUMMARIES: Mapping[str, Callable[[Path], str]] = {".py": _docstring, ".html": _title}
"""How examples of each kind say what they are."""


def turn_links(text: str, turn: Callable[[str], str]) -> str:
    """
    Have *turn* say where each link of the Markdown *text* leads now.

    What is code stays as it is, but for the words behind a block's language: they
    are for the tests, and the generator takes none that it does not know.
    """

    def replace(match: re.Match[str]) -> str:
        if match["link"]:
            return f"{match['before']}{turn(match['link'])})"
        if match["mark"] and not match["rest"].lstrip().startswith("title="):
            fence = f"{match['indent']}{match['mark']}"
            return f"{fence}{match['language']}{match['block']}{fence}"
        return match[0]

    return _CODE_OR_LINK.sub(replace, text)


def _turn(source: str, link: str, paths: Mapping[str, str], faults: list[str]) -> str:
    path, mark, anchor = link.partition("#")
    if not path or urlsplit(link).scheme:
        return link
    target = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    if target not in paths:
        faults.append(f"{source}: {link} is no part of the site")
        return link
    return posixpath.relpath(paths[target], posixpath.dirname(paths[source]) or ".") + mark + anchor


# ── building ─────────────────────────────────────────────────────────────────


def build(root: Path) -> None:
    """
    Build the site of the pages that were staged.

    Raises:
        SiteError: The generator warns of something.
    """
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if run.returncode:
        said = _COLOUR.sub("", run.stdout + run.stderr)
        raise SiteError(said.partition("\nTraceback ")[0])


# ── checking ─────────────────────────────────────────────────────────────────


class Page(HTMLParser):
    """A built page: the anchors that it has, and what it leads to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        """Where a reader may go."""
        self.resources: list[str] = []
        """What a browser fetches by itself."""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what *tag* refers to."""
        given = {name: value or "" for name, value in attrs}
        self.anchors.update(given[name] for name in ("id", "name") if name in given)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "link" and given.get("rel") not in _NOT_FETCHED and "href" in given:
            self.resources.append(given["href"])
        elif "src" in given:
            self.resources.append(given["src"])


_NOT_FETCHED = {"canonical", "prev", "next"}


def check(site: Path) -> None:
    """
    Read every page of *site* as a browser would.

    Raises:
        SiteError: Links lead nowhere, or something would be fetched from elsewhere.
    """
    pages = {path: Page(path) for path in site.rglob("*.html")}
    if faults := [fault for path in pages for fault in _faults(site, path, pages)]:
        raise SiteError("\n".join(faults))


def _faults(site: Path, path: Path, pages: Mapping[Path, Page]) -> Iterator[str]:
    name = path.relative_to(site)
    for resource in pages[path].resources:
        if urlsplit(resource).netloc:
            yield f"{name} fetches {resource}"
    for link in [*pages[path].links, *pages[path].resources]:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = _target(site, path, unquote(parts.path))
        if not target.exists():
            yield f"{name} leads to {link}, which is not there"
        elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
            yield f"{name} leads to {link}, which has no such place"


def _target(site: Path, path: Path, link: str) -> Path:
    """The file that *link* in the page *path* means."""
    if not link:
        return path
    target = site / link.lstrip("/") if link.startswith("/") else path.parent / link
    return Path(os.path.normpath(target / "index.html" if target.is_dir() else target))


def main() -> None:
    """Stage, build and check; what is wrong goes to stderr."""
    try:
        stage(ROOT, PAGES)
        build(ROOT)
        check(SITE)
    except SiteError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
