from __future__ import annotations

import stat
import webbrowser
from pathlib import Path

import pytest
import trio

from bamboo_gateway.cli.browser import open_browser

URL = "http://127.0.0.1:18790/"


@pytest.fixture(autouse=True)
def _browsers_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have them looked for anew, on a machine that has none."""
    monkeypatch.setattr(webbrowser, "_browsers", {})
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


def program(path: Path, does: str) -> None:
    """Make one."""
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


async def test_a_page_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the browser that its user has named."""
    program(tmp_path / "browser", f'echo "$1" > {tmp_path}/opened')
    monkeypatch.setenv("BROWSER", f"{tmp_path}/browser %s")
    await open_browser(URL)
    assert (tmp_path / "opened").read_text() == f"{URL}\n"


async def test_without_a_browser_the_url_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For the one on another machine, perhaps."""
    monkeypatch.setenv("PATH", str(tmp_path))
    await open_browser(URL)
    assert capsys.readouterr() == ("", f"no browser can be opened here; in one of yours, go to {URL}\n")


async def test_a_browser_in_the_terminal_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The terminal is the gateway's."""
    program(tmp_path / "lynx", f"echo started > {tmp_path}/opened")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    monkeypatch.setenv("TERM", "xterm")
    await open_browser(URL)
    assert URL in capsys.readouterr().err
    assert not (tmp_path / "opened").exists()


async def test_where_there_is_no_console_nothing_is_opened() -> None:
    """Nobody waits, either."""
    with trio.fail_after(0):
        await trio.lowlevel.cancel_shielded_checkpoint()
        await open_browser(None)
