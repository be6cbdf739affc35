"""A page in the browser of whoever sits here."""

from __future__ import annotations

import os
import webbrowser

import click
import trio


async def open_browser(url: str | None) -> None:
    """
    Open *url* in a browser window; where there is none, say the URL on stderr.

    Cancelled, it leaves a browser that is slow to start to itself.
    """
    if url is None:
        return
    is_open = await trio.to_thread.run_sync(_open, url, abandon_on_cancel=True)
    if not is_open:
        click.echo(f"no browser can be opened here; in one of yours, go to {url}", err=True)


def _open(url: str) -> bool:
    try:
        controller = webbrowser.get()
    except webbrowser.Error:
        return False
    # One in the terminal would take it away from the gateway; but who has named one means it.
    is_text = isinstance(controller, webbrowser.GenericBrowser)
    is_text = is_text and not isinstance(controller, webbrowser.BackgroundBrowser)
    if is_text and not os.environ.get("BROWSER"):
        return False
    return controller.open(url)
