"""Where log lines go and how they look."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TextIO, cast

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from . import colours


def configure(level: str, log_format: str, stream: TextIO) -> None:
    """
    Log to *stream*: what we say from *level* on, what libraries say from warning on; in place of before.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        log_format: `text` for people, in colours on a terminal; `json` for one object a line.
        stream: Where to.
    """
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderers = _json() if log_format == "json" else _text(stream)
    structlog.configure(
        processors=[*before, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Sink(stream))),
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        foreign_pre_chain=before,
    )
    handler = _Handler(stream)
    handler.setFormatter(formatter)
    is_ours = any(isinstance(each, _Handler) for each in logging.root.handlers)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=is_ours)


class _Handler(logging.StreamHandler[TextIO]):
    """One that was put there here, and may be replaced."""


class _Sink:
    """A stream whose end is nobody's error: `serve 2>&1 | head` must not end with the tenth line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write what can be written."""
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        """Flush what can be flushed."""
        with suppress(OSError):
            self._stream.flush()


def _json() -> list[Processor]:
    return [
        structlog.processors.format_exc_info,  # without the local variables that structlog could add
        _in_order,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


_FIRST = ("timestamp", "level", "event")
"""In every line, and at its start: a person may have to read it after all."""


def _in_order(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {**{name: event.get(name) for name in _FIRST}, **event}


def _text(stream: TextIO) -> list[Processor]:
    # structlog's own choice of traceback shows local variables, and they hold tokens and messages.
    renderer = structlog.dev.ConsoleRenderer(
        colors=colours.are_wanted(stream),
        exception_formatter=structlog.dev.plain_traceback,
    )
    return [_printable, renderer]


def _printable(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Let no text that a client sent move the cursor of who reads the log, or begin a line of its own."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            # Of all values, a traceback alone has lines.
            lines = value.split("\n") if key == "exception" else [value]
            event[key] = "\n".join(map(_without_controls, lines))
    return event


def _without_controls(line: str) -> str:
    return "".join(each if each.isprintable() else "\ufffd" for each in line)
