"""Pictures of what a person sees, kept in build/screenshots for who wants to look."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.cli.process import ROOT

FOLDER = ROOT / "build/screenshots"


def take_picture(page: Page, name: str) -> None:
    """Save what is in the window of *page*."""
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled", caret="hide")
