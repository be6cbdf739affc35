"""The type of an option that is a duration."""

from __future__ import annotations

from typing import Any

import click

from .duration import parse_duration


class DurationType(click.ParamType[float]):
    """
    Reads `90s`, `15m`, `12h`, or plain seconds.

    Args:
        least: Seconds, below which none will do.
        fault: What is said of one that is shorter.
    """

    name = "duration"

    def __init__(self, least: float = 0.001, fault: str = "that is no time at all") -> None:
        self._least = least
        self._fault = fault

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read *value*."""
        try:
            seconds = value if isinstance(value, float) else parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds < self._least:
            self.fail(self._fault, param, ctx)
        return seconds
