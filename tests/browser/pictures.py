"""Pictures of what a person sees, kept in build/screenshots for who wants to look."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tests.cli.process import ROOT

FOLDER = ROOT / "build/screenshots"

PALETTE = 256
"""Colours of a picture in the documents."""


def take_picture(page: Page, name: str) -> None:
    """Save what is in the window of *page*."""
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled", caret="hide")


def publish(folder: Path) -> None:
    """Copy those of the documents to *folder*, in a palette of colours: a third of the size."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(FOLDER.glob("console-*.png")):
        with Image.open(path) as picture:
            picture.convert("RGB").quantize(PALETTE, dither=Image.Dither.NONE).save(
                folder / path.name, optimize=True
            )


if __name__ == "__main__":
    publish(Path(sys.argv[1]))
