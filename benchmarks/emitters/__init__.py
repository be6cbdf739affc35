"""
Servers whose agents say tokens, as programs that print their port.

Each has one session for a connection. To the chat `COUNT INTERVAL` it answers with COUNT tokens, each
the time at which it was said (CLOCK_MONOTONIC, in nanoseconds), and INTERVAL seconds apart on the average,
from a random moment on: agents are not in step. `COUNT INTERVAL silent` takes the same time and says
nothing: what that costs is the agents' own.

At an interval of 0 the agents say tokens as fast as they may, but not in one go: to each there belongs a turn
of the event loop, as there does where it comes from a model over a socket.

The peers do the least that a stream can be resumed with: a JSON object with a number, kept in a ring of
`RING_SIZE`, and sent. They have no limits, deadlines, storage or statistics.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..peers import NODE, WEBSOCKETS
from ..results import GATEWAY
from ..server import gateway_command, node_command, python_command

RING_SIZE = 10_000
"""Events that a session keeps: the gateway's default."""

BROADCASTER = python_command(f"{__package__}.gateway")
"""The gateway embedded: its agent broadcasts, too, as one on the command line could not."""


def gateway_emitter(storage: str) -> tuple[str, ...]:
    """The gateway's own command line on *storage*."""
    listeners = ("--max-connections", "100000", "--heartbeat-interval", "1h")  # they answer no pings
    return gateway_command(storage, "--agent", f"{__package__}.agent:speak", *listeners)


EMITTERS: Mapping[str, tuple[str, ...]] = {
    GATEWAY: gateway_emitter("memory:"),
    NODE: node_command(Path(__file__).parent / "node_ws.mjs", str(RING_SIZE)),
    WEBSOCKETS: python_command(f"{__package__}.asyncio_websockets"),
}
"""Subject → the command that starts it."""
