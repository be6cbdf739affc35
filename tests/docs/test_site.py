"""docs/site.py: the documentation site, and what it does not let pass."""

from __future__ import annotations

import runpy
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SITE = runpy.run_path(str(ROOT / "docs" / "site.py"))
SiteError: type[Exception] = SITE["SiteError"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small one, of the same shape."""
    files = {
        "README.md": "# Home\n\n[Docs](docs/one.md#part), [examples](examples/), [code](examples/a.py)\n",
        "LICENSE": "Do as you like.\n",
        "docs/one.md": "# One\n\n## Part\n\n![Picture](images/p.png) [home](../README.md)\n",
        "docs/images/p.png": "",
        "examples/a.py": '"""\nA program.\n\nMore of it.\n"""\n',
    }
    for name, text in files.items():
        (tmp_path / "repository" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repository" / name).write_text(text)
    return tmp_path / "repository"


def test_links_are_turned_with_their_files(repository: Path, tmp_path: Path) -> None:
    """What links to a file of the repository links to its page, wherever that is."""
    SITE["stage"](repository, tmp_path / "pages")
    index = (tmp_path / "pages" / "index.md").read_text()
    assert index == "# Home\n\n[Docs](one.md#part), [examples](examples/index.md), [code](examples/a.md)\n"
    assert "![Picture](images/p.png) [home](index.md)" in (tmp_path / "pages" / "one.md").read_text()
    assert (tmp_path / "pages" / "images" / "p.png").exists()
    assert "| [a.py](a.md) | A program. |" in (tmp_path / "pages" / "examples" / "index.md").read_text()
    assert "Do as you like." in (tmp_path / "pages" / "license.md").read_text()


def test_a_link_out_of_the_site_is_an_error(repository: Path, tmp_path: Path) -> None:
    """Whoever links to a file that readers of the site do not have is told."""
    (repository / "docs" / "one.md").write_text("[a](two.md) [b](../Makefile)\n")
    with pytest.raises(SiteError) as error:
        SITE["stage"](repository, tmp_path / "pages")
    assert str(error.value).splitlines() == [
        "docs/one.md: two.md is no part of the site",
        "docs/one.md: ../Makefile is no part of the site",
    ]


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("[a](x) `[b](x)` [`c`](x#y)", "[a](X) `[b](x)` [`c`](X#Y)"),
        ("```python\n[a](x)\n```\n[a](x)", "```python\n[a](x)\n```\n[a](X)"),
        ("```console you\n$ ls\n```", "```console\n$ ls\n```"),
        ('```python title="a.py"\npass\n```', '```python title="a.py"\npass\n```'),
        ("  ```python run\n  pass\n  ```", "  ```python\n  pass\n  ```"),
    ],
)
def test_code_stays_as_it_is(text: str, turned: str) -> None:
    """Links in code are none; of a block's head only what the generator knows is left."""
    assert SITE["turn_links"](text, str.upper) == turned


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A built site of two pages."""
    (tmp_path / "one.html").write_text(
        '<link rel="canonical" href="https://example.org/"><h2 id="part"></h2><a href="two.html#end">two</a>'
    )
    (tmp_path / "two.html").write_text(
        '<p id="end"></p><a href="https://example.org">away</a><a href="#end">'
    )
    return tmp_path


def test_a_sound_site_passes(built: Path) -> None:
    """Links that lead somewhere, and links to elsewhere that a reader may follow, are fine."""
    SITE["check"](built)


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="two.html#part">', "one.html leads to two.html#part, which has no such place"),
        ('<a href="#nowhere">', "one.html leads to #nowhere, which has no such place"),
        ('<a href="three.html">', "one.html leads to three.html, which is not there"),
        ('<img src="/p.png">', "one.html leads to /p.png, which is not there"),
        ('<script src="https://example.org/x.js">', "one.html fetches https://example.org/x.js"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "one.html fetches //example.org/x.css"),
    ],
)
def test_what_is_broken_is_named(built: Path, html: str, fault: str) -> None:
    """A dead link, a dead anchor, or what would be fetched from elsewhere, fails the build with its page."""
    (built / "one.html").write_text(html)
    with pytest.raises(SiteError) as error:
        SITE["check"](built)
    assert str(error.value) == fault


def _pages(nav: Any) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    else:
        for each in nav.values() if isinstance(nav, dict) else nav:
            yield from _pages(each)


def test_every_page_can_be_found() -> None:
    """Each document stands in the site's navigation, once; the examples by their list."""
    nav = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]
    pages = {path for path in SITE["site_paths"](ROOT).values() if path.endswith(".md")}
    examples = {path for path in pages if path.startswith("examples/")} - {"examples/index.md"}
    assert sorted(_pages(nav)) == sorted(pages - examples)
