"""Commands that wait for their turn where the gateway bounds how many there may be in a second."""

from __future__ import annotations

from collections.abc import Mapping

import trio

from ..client import Client, RefusedError
from ..errors import ErrorCode
from ..protocol.messages import Json

_PAUSE = 1.0
"""Seconds to wait where the gateway does not say how long."""


async def ask_patiently(client: Client, name: str, args: Mapping[str, Json] | None = None) -> Json:
    """
    Run a command, as soon as the gateway takes it; raises what `Client.command` does for any other reason.

    An export is thousands of questions, and is to be slower then, not to fail.
    """
    while True:
        try:
            return await client.command(name, None if args is None else dict(args))
        except RefusedError as error:
            if error.code != ErrorCode.RATE_LIMITED:
                raise
            await trio.sleep(error.retry_after or _PAUSE)
