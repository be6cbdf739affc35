"""The judge of all other tests here: what a page must never do does not escape it."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import Visits
from tests.browser.gateway_process import GatewayProcess
from tests.browser.visit import Visit

pytestmark = [pytest.mark.integration, pytest.mark.browser]

FAULTS = {
    "console": "console.error('spoken')",
    "uncaught": "setTimeout(() => { throw new Error('thrown') })",
    "stranger": "fetch('http://stranger.invalid/').catch(() => {})",
    "failed": "fetch('http://127.0.0.1:1/').catch(() => {})",
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_seen(kind: str, gateway: GatewayProcess, visit: Visits) -> None:
    """Errors said or uncaught, requests that fail, and requests of strangers are all faults."""
    coming = visit(gateway.page)
    coming.allow(re.compile(""))
    page = coming.open("version")
    page.evaluate(f"() => {{ {FAULTS[kind]} }}")
    _wait_for(coming, kind)


def test_a_socket_of_a_stranger_is_seen(gateway: GatewayProcess, visit: Visits) -> None:
    """A page that connects to another host than its own is at fault."""
    coming = visit(gateway.page)
    coming.allow(re.compile(""))
    coming.open("version").evaluate("() => { new WebSocket('ws://stranger.invalid/') }")
    _wait_for(coming, "stranger: ws://stranger.invalid/")


def _wait_for(coming: Visit, fault: str) -> None:
    [page] = coming.context.pages
    while not any(each.startswith(fault) for each in coming.faults):
        page.wait_for_timeout(10)  # events of the browser are heard while Playwright waits
