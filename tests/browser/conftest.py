"""A real Chromium before a real gateway, and what a page must never do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.accessibility import AXE
from tests.browser.gateway_process import GatewayProcess, gateway_process
from tests.browser.network import Network, network
from tests.browser.pictures import take_picture
from tests.browser.visit import Visit

PATIENCE = 20_000
"""Milliseconds after which what is expected of a page has failed to come: a busy machine is slow."""

_FAILED = pytest.StashKey[bool]()


def _without(reason: str) -> None:
    if os.environ.get("BAMBOO_REQUIRE_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium; without, the test is skipped, or fails if none may be."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        _without("needs chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> None:
    """Have axe at hand, or skip the test, or fail it if none may be skipped."""
    if not AXE.is_file():
        _without("needs `npm ci` in tests/integration/node")


class Visits(Protocol):
    """How a test has a person come to a gateway."""

    def __call__(
        self,
        home: str,
        *,
        width: int = 1280,
        height: int = 800,
        dark: bool = False,
        still: bool = False,
        scale: float = 1.0,
    ) -> Visit:
        """Begin with an empty profile, in a window of so many CSS pixels; *still*: without motion."""
        ...


@pytest.fixture
def visit(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Visits]:
    """Come to a gateway; the test fails if a page did there what none may do."""
    visits: list[Visit] = []

    def come(
        home: str,
        *,
        width: int = 1280,
        height: int = 800,
        dark: bool = False,
        still: bool = False,
        scale: float = 1.0,
    ) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if still else "no-preference",
            device_scale_factor=scale,
            has_touch=width < 600,
            locale="en-GB",
            timezone_id="UTC",
        )
        context.set_default_timeout(PATIENCE)
        visits.append(Visit(context, home))
        return visits[-1]

    yield come
    if request.node.stash.get(_FAILED, False):
        tabs = [page for each in visits for page in each.context.pages]
        for number, page in enumerate(tabs):
            take_picture(page, f"failed-{request.node.name}-{number}")
    for each in visits:
        each.context.close()
    assert [fault for each in visits for fault in each.unexpected()] == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember that a test failed: its pages are then pictured."""
    report = yield
    item.stash[_FAILED] = item.stash.get(_FAILED, False) or report.failed  # type: ignore[attr-defined]
    return report


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway that asks nothing of anybody, for all tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("gateway")
    with gateway_process(folder, "--storage", f"sqlite:{folder / 'kept.sqlite3'}") as served:
        yield served


@pytest.fixture
def own_gateway(tmp_path: Path) -> Iterator[Callable[..., GatewayProcess]]:
    """Serve, with any options, for this test alone."""
    with ExitStack() as stack:
        yield lambda *args: stack.enter_context(gateway_process(tmp_path / "gateway", *args))


@pytest.fixture
def line(gateway: GatewayProcess) -> Iterator[Network]:
    """A network before it that can be cut."""
    with network(gateway.url) as the_network:
        yield the_network
