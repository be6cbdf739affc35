"""What `serve` does at SIGHUP."""

from __future__ import annotations

import sys

import attrs
import click
import structlog

from ..config import GatewayConfig, waiting_settings
from ..errors import ConfigError
from ..gateway import Gateway
from . import logs, settings
from .rereading import read_again

log = structlog.get_logger(__name__)


@attrs.frozen
class Reloader:
    """Has a gateway go on with what its settings are by now."""

    gateway: Gateway
    ours: settings.ServeConfig
    """The settings that are not the gateway's own, as they were at the start."""
    ctx: click.Context

    async def reload(self) -> None:
        """Read all settings again. If anything is wrong with them, nothing changes."""
        try:
            values = read_again(self.ctx)
            ours = settings.pick(settings.ServeConfig, values)
            waiting = await self.gateway.reload(settings.pick(GatewayConfig, values))
        except click.UsageError as error:
            log.error("settings not reloaded", error=error.format_message())
        except ConfigError as error:
            log.error("settings not reloaded", error=str(error))
        else:
            logs.configure(ours.log_level, ours.log_format, sys.stderr)
            log.info("settings reloaded")
            if waiting := (*waiting, *waiting_settings(self.ours, ours)):
                log.warning("settings wait for a restart", settings=", ".join(waiting))
