"""`bamboo-gateway serve`: a gateway of its own."""

from __future__ import annotations

import gc
import os
import signal
import sys
from errno import EADDRINUSE
from typing import Any

import click
import structlog
import trio

from ..agents import load_agent
from ..config import GatewayConfig
from ..errors import ConfigError, StorageError
from ..gateway import Gateway
from ..identity.directory import TokenDirectory
from ..storage import parse_storage
from . import config_file, faults, greeting, logs, settings
from .browser import open_browser
from .reloader import Reloader
from .rereading import RereadableCommand
from .running import run
from .service_manager import ServiceManager
from .storage_progress import StorageProgress
from .task_tree import run_task_tree_printer
from .tokens_path import tokens_path

log = structlog.get_logger(__name__)

_STOPS = (signal.SIGINT, signal.SIGTERM)

_COLLECTOR = (10_000, 10, 10)
"""
When to look for garbage in cycles, of which a gateway makes little; the rest is freed at once, without it.

Python looks after each 700 objects more, which took a fifth of each event's time.
"""

_SWITCH_INTERVAL = 0.001
"""
Seconds for which the event loop may keep the thread of a commit waiting for the interpreter.

A commit asks for it several times. With Python's 5 ms, a busy gateway on SQLite
took two to eight times as long from a token to its client (measured).
"""


@click.command("serve", cls=RereadableCommand)
@config_file.option
@settings.options
@click.option("--open", "opens_console", is_flag=True, help="Open the web console in a browser.")
@click.pass_context
def command(ctx: click.Context, /, **values: Any) -> None:
    """
    Run a gateway until SIGINT or SIGTERM.

    Then turns that run get --drain-timeout to come to their end; a second signal
    ends it at once. SIGHUP has it read its settings again.

    It prints one line with its address once it accepts connections; all else
    goes to stderr: log lines and, at a terminal, how to get to it. What is typed
    goes before the environment, and that before the file of --config, where an
    option is a key of its name with underscores (and allowed_origins a list).
    """
    ours = settings.pick(settings.ServeConfig, values)
    logs.configure(ours.log_level, ours.log_format, sys.stderr)
    try:
        config = settings.pick(GatewayConfig, values)
        tokens = TokenDirectory(config, tokens_path(ours.tokens), is_required=ours.tokens is not None)
        storage_progress = StorageProgress()
        storage = parse_storage(ours.storage, report=storage_progress)
        gateway = Gateway(config, agent=load_agent(ours.agent), storage=storage, authenticate=tokens)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    if values["opens_console"] and (reason := greeting.why_no_console(config)):
        raise click.UsageError(f"--open: {reason}")
    # Here, for the process is ours; in an embedder's it is not.
    gc.set_threshold(*_COLLECTOR)
    sys.setswitchinterval(_SWITCH_INTERVAL)
    manager = ServiceManager.take_from(os.environ)
    with faults.logged(), storage_progress:
        run(_serve_watched, gateway, Reloader(gateway, ours, ctx), manager, values["opens_console"])


async def _serve_watched(
    gateway: Gateway, reloader: Reloader, manager: ServiceManager, opens_console: bool
) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(run_task_tree_printer)
        nursery.start_soon(manager.run_watchdog)
        await _serve(gateway, reloader, manager, opens_console)
        nursery.cancel_scope.cancel()


async def _serve(gateway: Gateway, reloader: Reloader, manager: ServiceManager, opens_console: bool) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(_heed_signals, gateway, reloader, manager)
        try:
            addresses = await nursery.start(gateway.serve)
        except StorageError as error:
            raise click.ClickException(f"storage: {error}") from error
        except OSError as error:
            reason = error.strerror or error
            remedy = (
                "; take another --bind, or ask `bamboo-gateway doctor` who does"
                if error.errno == EADDRINUSE
                else ""
            )
            raise click.ClickException(f"cannot listen on {gateway.config.bind}: {reason}{remedy}") from error
        if gateway.config.insecure_no_auth and not gateway.asks_who:
            log.warning("nobody is asked who they are", bind=gateway.config.bind)
        urls = [greeting.websocket_url(gateway.config, address) for address in addresses]
        listening = "listening on " + " ".join(urls)
        click.echo(listening)
        await manager.tell_ready(listening)
        if sys.stderr.isatty():
            for line in greeting.lines(
                gateway.config, reloader.ours, addresses[0], asks_who=gateway.asks_who
            ):
                click.echo(line, err=True)
        if opens_console:
            nursery.start_soon(open_browser, greeting.console_url(gateway.config, addresses[0]))


async def _heed_signals(
    gateway: Gateway,
    reloader: Reloader,
    manager: ServiceManager,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Reload at each SIGHUP, and drain at the first other signal; the second ends the process."""
    with trio.open_signal_receiver(*_STOPS, signal.SIGHUP) as signals:
        task_status.started()
        async for received in signals:
            if received in _STOPS:
                break
            await _reload(gateway, reloader, manager)
    for each in _STOPS:
        signal.signal(each, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # there is nothing left to reload for
    log.info("stopping", signal=signal.Signals(received).name, turns=gateway.statistics().turns.running)
    await manager.tell_stopping(gateway.config.drain_timeout)
    await gateway.drain()
    log.info("stopped")


async def _reload(gateway: Gateway, reloader: Reloader, manager: ServiceManager) -> None:
    if not gateway.is_ready:  # and nobody may be told yet that it is
        await reloader.reload()
        return
    await manager.tell_reloading()
    await reloader.reload()
    await manager.tell_reloaded()
