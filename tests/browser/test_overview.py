"""A person looks at how the gateway does: numbers that are the gateway's own, and curves that move."""

from __future__ import annotations

import re
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visits
from tests.browser.console import Console
from tests.browser.gateway_process import GatewayProcess

pytestmark = [pytest.mark.integration, pytest.mark.browser]


@pytest.fixture
def console(gateway: GatewayProcess, visit: Visits) -> Console:
    """The overview."""
    console = Console(visit(gateway.page).open("#/overview"))
    expect(console.heading("Overview")).to_be_visible()
    return console


def test_the_numbers_are_the_gateway_s(gateway: GatewayProcess, console: Console) -> None:
    """Connections and running turns are as many as there are, and follow them."""
    session = gateway.new_session("counted")
    with ExitStack() as stack:
        clients = [stack.enter_context(gateway.client(session_id=session)) for _ in range(3)]
        expect(console.figure("Connections")).to_have_text(re.compile(r"\b4\b"))
        clients[0].say("chat", session_id=session, content="words 2; hold counted; words 2")
        expect(console.figure("Turns running")).to_have_text(re.compile(r"\b1\b"))
        gateway.open_gate("counted")
        expect(console.figure("Turns running")).to_have_text(re.compile(r"\b0\b"))
    expect(console.figure("Connections")).to_have_text(re.compile(r"\b1\b"))


def test_the_curves_are_drawn(gateway: GatewayProcess, console: Console) -> None:
    """Each chart has a name for who cannot see it, and a curve that changes as time goes by."""
    charts = console.charts
    expect(charts.first).to_be_visible()
    assert charts.count() >= 4
    for chart in charts.all():
        assert chart.get_attribute("aria-label"), chart.inner_html()
        console.wait_until_drawn(chart)
    session = gateway.new_session("curves")
    before = [chart.screenshot() for chart in charts.all()]
    gateway.say(session, "words 100")
    console.wait_until_changed(charts.first, before[0])
