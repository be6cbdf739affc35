"""Is everything here that it needs, and new enough?"""

from __future__ import annotations

import platform
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata

import attrs

from ...version import __version__
from .finding import Finding, fault, well

_ABOUT = "versions"

_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*(?:>=\s*(?P<least>[0-9.]+))?[^;]*"
    r"(?:;.*extra\s*==\s*['\"](?P<extra>[^'\"]+)['\"].*)?"
)

_NAMED = ("trio", "click", "rich")
"""Libraries whose version is worth a word where all is well."""


@attrs.frozen
class Requirement:
    """A library that is needed, and its oldest release that will do."""

    name: str
    least: str | None = None


def requirements(lines: Iterable[str], extras: frozenset[str] = frozenset()) -> Iterator[Requirement]:
    """Those that a distribution names in its metadata, and those of these *extras*."""
    for line in lines:
        match = _REQUIREMENT.fullmatch(line.strip())
        if match and (match["extra"] is None or match["extra"] in extras):
            yield Requirement(match["name"], match["least"])


def judge(needed: Iterable[Requirement], installed: Mapping[str, str | None]) -> Iterator[Finding]:
    """Compare what is *needed* with the versions that are *installed*; None: it is not."""
    is_well = True
    for each in needed:
        found = installed[each.name]
        if found is None:
            is_well = False
            yield fault(_ABOUT, f"{each.name} is not installed", f"pip install '{_spec(each)}'")
        elif each.least is not None and _parts(found) < _parts(each.least):
            is_well = False
            text = f"{each.name} {found} is older than {each.least}"
            yield fault(_ABOUT, text, f"pip install --upgrade '{_spec(each)}'")
    if is_well:
        yield well(
            _ABOUT,
            ", ".join([*_own(), *(f"{name} {installed[name]}" for name in _NAMED if name in installed)]),
        )


def look(extras: frozenset[str]) -> Iterator[Finding]:
    """Judge what is installed here; *extras* are those that are in use."""
    needed = list(requirements(metadata.requires("bamboo-gateway") or (), extras))
    yield from judge(needed, {each.name: _installed(each.name) for each in needed})


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _own() -> list[str]:
    return [
        f"bamboo-gateway {__version__}",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
    ]


def _spec(each: Requirement) -> str:
    return each.name if each.least is None else f"{each.name}>={each.least}"


def _parts(version: str) -> list[int]:
    """The numbers at its beginning: enough to tell an old release from a new one."""
    return [int(part) for part in re.match(r"[0-9.]*", version)[0].split(".") if part]  # type: ignore[index] # it matches
