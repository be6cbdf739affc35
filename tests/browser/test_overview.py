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
    """Each chart draws a curve once there is something to draw, and says in words what it comes to now."""
    expect(console.charts).to_have_count(6)
    gateway.say(gateway.new_session("curves"), "words 200", "words 200", "words 200", "words 200")
    for chart in console.charts.all():
        while not chart.evaluate(_IS_DRAWN):
            console.page.wait_for_timeout(50)  # `wait_for_function` needs the `eval` that the page forbids
    expect(console.charts.first).to_have_accessible_name(re.compile(r"now open \d"))


# Axes are grey, curves are not.
_IS_DRAWN = """
(chart) => {
    const canvas = chart.querySelector("canvas");
    const {width, height} = canvas;
    const copy = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
    copy.drawImage(canvas, 0, 0);
    const pixels = copy.getImageData(0, 0, width, height).data;
    let coloured = 0;
    for (let at = 0; at < pixels.length; at += 4) {
        const [red, green, blue, opacity] = pixels.subarray(at, at + 4);
        if (opacity > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 60) coloured += 1;
    }
    return coloured > 20;
}
"""
