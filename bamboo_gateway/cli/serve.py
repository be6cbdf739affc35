"""`bamboo-gateway serve`: a gateway of its own."""

from __future__ import annotations

import gc
import signal
import sys
from typing import Any

import click
import structlog
import trio

from ..agents import load_agent
from ..config import Address, GatewayConfig, UnixAddress
from ..errors import ConfigError, StorageError
from ..gateway import Gateway
from ..storage import parse_storage
from . import config_file, logs, settings
from .running import run

log = structlog.get_logger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

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


@click.command("serve")
@config_file.option
@settings.options
def command(**values: Any) -> None:
    """
    Run a gateway until SIGINT or SIGTERM.

    It prints one line with its address once it accepts connections; all else
    goes to stderr. What is typed goes before the environment, and that before
    the file of --config, where an option is a key of its name with underscores
    (and allowed_origins a list).
    """
    ours = settings.pick(settings.ServeConfig, values)
    logs.configure(ours.log_level, ours.log_format, sys.stderr)
    try:
        gateway = Gateway(
            settings.pick(GatewayConfig, values),
            agent=load_agent(ours.agent),
            storage=parse_storage(ours.storage),
        )
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    # Here, for the process is ours; in an embedder's it is not.
    gc.set_threshold(*_COLLECTOR)
    sys.setswitchinterval(_SWITCH_INTERVAL)
    run(_serve, gateway)


async def _serve(gateway: Gateway) -> None:
    async with trio.open_nursery() as nursery:
        await nursery.start(_stop_on_signal, gateway)
        try:
            addresses = await nursery.start(gateway.serve)
        except StorageError as error:
            raise click.ClickException(f"storage: {error}") from error
        except OSError as error:
            reason = error.strerror or error
            raise click.ClickException(f"cannot listen on {gateway.config.bind}: {reason}") from error
        click.echo("listening on " + " ".join(_url(gateway.config, address) for address in addresses))


def _url(config: GatewayConfig, address: Address | UnixAddress) -> str:
    """What clients have to dial; of a socket in the file system, where that is."""
    if isinstance(address, UnixAddress):
        return str(address)
    return f"{'wss' if config.tls_cert else 'ws'}://{address}"


async def _stop_on_signal(
    gateway: Gateway, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Stop *gateway* at the first signal; the second is then nobody's, and ends the process."""
    with trio.open_signal_receiver(*_SIGNALS) as signals:
        task_status.started()
        received = await anext(signals)
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    log.info("stopping", signal=signal.Signals(received).name)
    await gateway.stop()
