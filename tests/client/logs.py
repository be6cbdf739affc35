"""A model of a gateway's logs and of one client that reads them over connections that break."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import attrs

from bamboo_gateway.client.cursors import Cursors
from bamboo_gateway.protocol import AgentToken, Connect, Connected, Gap, GatewayEvent

HELLO = Connect(protocol=2)


@attrs.define
class _Log:
    first: int = 1
    last: int = 0


class Gateway:
    """Logs that grow, forget and begin anew, in the words of the protocol's document."""

    def __init__(self, channels: Iterable[str | None]) -> None:
        self.logs = {channel: _Log() for channel in channels}
        self.generation = 1
        self.live: deque[GatewayEvent] = deque()
        """What the connection that is open now has yet to deliver."""

    @property
    def epoch(self) -> str:
        """Of all logs."""
        return f"e{self.generation}"

    def say(self, channel: str | None) -> None:
        """Append an event, whose text tells what it is for good."""
        log = self.logs[channel]
        log.last += 1
        self.live.append(self._event(channel, log.last))

    def forget(self, channel: str | None) -> None:
        """Drop the oldest event from a log; a connection that has it before it is given it nonetheless."""
        log = self.logs[channel]
        log.first = min(log.first + 1, log.last + 1)

    def restart(self) -> None:
        """Forget everything."""
        self.generation += 1
        self.logs = {channel: _Log() for channel in self.logs}

    def connect(self, hello: Connect) -> Connected:
        """Greet, and have what was missed delivered: gaps first, then events."""
        wanted = {None: hello.last_seq} | dict(hello.channels or {})
        self.live.clear()
        events: list[GatewayEvent] = []
        for channel, log in self.logs.items():
            after = wanted.get(channel)
            if after is None:
                continue
            if hello.epoch != self.epoch or after > log.last or after + 1 < log.first:
                self.live.append(self._gap(channel, after + 1))
                after = log.first - 1
            events += [self._event(channel, seq) for seq in range(after + 1, log.last + 1)]
        self.live += events
        return Connected("s", resumed=True, epoch=self.epoch, last_seq=self.logs[None].last)

    def _gap(self, channel: str | None, requested: int) -> Gap:
        log = self.logs[channel]
        return Gap(
            requested=requested, earliest=log.first, latest=log.last, epoch=self.epoch, channel=channel
        )

    def _event(self, channel: str | None, seq: int) -> AgentToken:
        return AgentToken("s", self.epoch, seq=seq, channel=channel)


class Line:
    """A client, and all that it has shown."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._cursors = Cursors(gateway.connect(HELLO))
        self.shown: list[AgentToken | Gap] = []

    def deliver(self, count: int) -> None:
        """The next events come through."""
        for _ in range(min(count, len(self._gateway.live))):
            event = self._gateway.live.popleft()
            if self._cursors.admit(event):
                assert isinstance(event, AgentToken | Gap)
                self.shown.append(event)

    def reconnect(self) -> None:
        """The connection breaks, with whatever was on its way, and another one opens."""
        self._cursors.greet(self._gateway.connect(self._cursors.resume(HELLO)))

    def holes(self, channel: str | None) -> list[str]:
        """What is wrong with what was shown of a log: doubled, out of order, or missing without a word."""
        wrong: list[str] = []
        epoch, seq = "e1", 0
        for event in self.shown:
            if event.channel != channel:
                continue
            if isinstance(event, Gap):
                if event.epoch == epoch and event.earliest - 1 <= seq <= event.latest:
                    wrong.append(f"needless {event}")
                epoch, seq = event.epoch, event.earliest - 1
                continue
            is_first = channel is not None and seq == 0  # where a log without a cursor is heard from
            if event.token != epoch and not is_first:
                wrong.append(f"an epoch without a gap: {event}")
            elif event.seq != seq + 1 and not is_first:
                wrong.append(f"{event} after {seq}")
            epoch, seq = event.token, event.seq or 0
        log = self._gateway.logs[channel]
        if seq != log.last and (channel is None or seq > 0):
            wrong.append(f"ends at {seq} of {log.last}")
        return wrong
