"""What axe finds in a page: whom it shuts out who sees, hears or points otherwise."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).parents[1] / "integration/node/node_modules/axe-core/axe.min.js"

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

_RUN = """
(rules) => axe.run(document, {runOnly: rules, resultTypes: ["violations"]})
    .then(found => found.violations.flatMap(({id, help, nodes}) =>
        nodes.map(node => `${id}: ${help}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ""}`)))
"""


@cache
def _source() -> str:
    return AXE.read_text()


def violations(page: Page) -> list[str]:
    """All that axe holds against what is shown at the moment, a line each."""
    # Evaluated by the debugger: the page's own policy lets in no script from outside.
    page.evaluate(_source())
    found = page.evaluate(_RUN, RULES)
    assert isinstance(found, list)
    return found
