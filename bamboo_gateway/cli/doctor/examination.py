"""All checks, one after the other; each is given what it needs of the settings, and none stops another."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import click

import bamboo_gateway

from ...config import GatewayConfig
from ...errors import ConfigError
from ...storage.location import file_of
from .. import settings
from ..settings import ServeConfig
from ..tokens_path import tokens_path
from . import (
    agent,
    certificate,
    clock,
    descriptors,
    environment,
    exposure,
    port,
    storage,
    tokens,
    versions,
)
from .finding import Finding, fault


@attrs.frozen
class Subject:
    """Whose health it is: the settings, and what was noticed while they were read."""

    values: Mapping[str, Any]
    noted: Sequence[Finding]
    root: click.Command
    """The command line, which knows the variables that are read."""


async def examine(subject: Subject, tell: Callable[[Finding], None]) -> None:
    """Look at everything, and *tell* of each as soon as it is known."""
    ours: ServeConfig = settings.pick(ServeConfig, dict(subject.values))
    path = tokens_path(ours.tokens)

    def tell_all(findings: Iterable[Finding]) -> None:
        for finding in findings:
            tell(finding)

    tell_all(_look_at_words(subject, ours))
    config = _together(subject, tell)
    if config is not None:
        tell(port.judge(config.address, await port.look(config.address)))
        tell_all(_look_at_entrance(config, path, is_required=ours.tokens is not None))
    tell_all(storage.look(ours.storage))
    date = await _look_at_agent(ours, tell)
    tell_all(clock.judge(time.time(), clock.written_at(_files(ours, path)), date))
    if config is not None:
        tell(descriptors.look(config.max_connections))


def _together(subject: Subject, tell: Callable[[Finding], None]) -> GatewayConfig | None:
    """The settings of the gateway, if they make sense beside each other."""
    try:
        config: GatewayConfig = settings.pick(GatewayConfig, dict(subject.values))
    except ConfigError as error:
        text, _, remedy = str(error).partition("; ")
        tell(fault("settings", text, remedy or "put it right"))
        return None
    return config


async def _look_at_agent(ours: ServeConfig, tell: Callable[[Finding], None]) -> float | None:
    """Load it, and meet the endpoint that it asks; return what time it is there."""
    loaded = agent.look(ours.agent)
    tell(loaded)
    if ours.agent != "openai" or loaded.verdict != "well":
        return None
    finding, date = await agent.look_at_endpoint()
    tell(finding)
    return date


def _look_at_words(subject: Subject, ours: ServeConfig) -> Iterator[Finding]:
    """What was installed, and what was written."""
    yield from versions.look(frozenset({"openai"} if ours.agent == "openai" else ()))
    yield from subject.noted
    yield from environment.judge(os.environ, environment.known_variables(subject.root))


def _look_at_entrance(config: GatewayConfig, path: Path, *, is_required: bool) -> Iterator[Finding]:
    """Who can come in, and by what."""
    is_asked_otherwise = config.auth_token is not None or bool(config.principals)
    asks_who = is_asked_otherwise or is_required or path.exists()
    yield from exposure.judge(config, asks_who=asks_who)
    if config.tls_cert is not None:
        yield certificate.look(config)
    yield from tokens.look(path, is_required=is_required, is_asked_otherwise=is_asked_otherwise)


def _files(ours: ServeConfig, path: Path) -> Iterator[Path]:
    """Those that have been written some time, and not by somebody who sets their times."""
    yield Path(bamboo_gateway.__file__)
    yield Path(sys.executable)
    yield path
    stored = file_of(ours.storage)
    if stored is not None:
        yield stored
