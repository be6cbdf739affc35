"""How far a client has read each log that it follows: what is new to it, and where it will go on."""

from __future__ import annotations

import attrs

from ..protocol.messages import (
    MAX_CHANNEL_CURSORS,
    Connect,
    Connected,
    Gap,
    GatewayEvent,
    SessionEvent,
)

BROADCAST = "*"
"""The log of broadcasts, as `channel` names it."""


@attrs.frozen
class Cursor:
    """A place in one log."""

    epoch: str | None
    """What `seq` was counted in."""
    seq: int
    """The last event seen."""


class Cursors:
    """
    One client's cursors; a plain object without clock or socket.

    Invariant: an event of a log is admitted at most once. A cursor that has not
    been moved to the gateway's epoch keeps its own, so that the gateway still
    tells of that gap if the connection breaks before it did.
    """

    def __init__(self, connected: Connected) -> None:
        self.session_id = connected.session_id
        self._epoch = connected.epoch
        self._session = _beginning(connected)
        self._channels: dict[str, Cursor] = {}
        """By name; the one longest unheard of comes first."""
        self._begin_channels(connected)

    def greet(self, connected: Connected) -> None:
        """The gateway has let the client in again; in a new session its log is a new one."""
        self.session_id = connected.session_id
        self._epoch = connected.epoch
        if not connected.resumed:
            self._session = _beginning(connected)
            # Broadcasts are the gateway's. Channels were the session's, which has joined none yet.
            self._channels = {name: each for name, each in self._channels.items() if name == BROADCAST}
        self._begin_channels(connected)

    def admit(self, event: GatewayEvent) -> bool:
        """Is *event* new? Then it counts as seen from here on. What is no part of a log always is."""
        match event:
            case Gap():
                return self._admit_gap(event)
            case SessionEvent(seq=int(seq), channel=channel):
                return self._admit_entry(channel, seq)
            case _:
                return True

    def resume(self, hello: Connect) -> Connect:
        """
        Say *hello* again, as one who comes back.

        `connect` has one epoch for all cursors. Where they differ, some log has yet
        to tell of its gap, and the epoch named is one that is no longer the
        gateway's: then it tells of all gaps and sends all logs again, and `admit`
        knows what it has seen already. Such a replay must be exact, because joined
        tokens could hold both old and new.
        """
        epochs = [each.epoch for each in (self._session, *self._channels.values())]
        epoch = next((each for each in epochs if each != self._epoch), self._epoch)
        return attrs.evolve(
            hello,
            session_id=self.session_id,
            last_seq=_seq(self._session, epoch),
            epoch=epoch,
            channels={name: _seq(each, epoch) for name, each in self._channels.items()} or None,
            replay=hello.replay if len(set(epochs)) == 1 else "exact",
            exclusive=None,  # wanted once; who came since then is not sent away behind everybody's back
        )

    def _admit_entry(self, channel: str | None, seq: int) -> bool:
        known = self._cursor(channel)
        # Without a gap before it, an event of another epoch begins a log that the gateway reads from now on.
        if known is not None and known.epoch == self._epoch and seq <= known.seq:
            return False
        self._move(channel, Cursor(self._epoch, seq))
        return True

    def _admit_gap(self, gap: Gap) -> bool:
        self._epoch = gap.epoch
        before = gap.earliest - 1
        known = self._cursor(gap.channel)
        if known is not None and known.epoch == gap.epoch and before <= known.seq <= gap.latest:
            return False  # all that is missing there has been seen
        self._move(gap.channel, Cursor(gap.epoch, before))
        return True

    def _begin_channels(self, connected: Connected) -> None:
        """Where logs begin of which nothing was heard yet: what is next may come while the client is off."""
        for name, seq in (connected.channels or {}).items():
            if name not in self._channels:
                self._move(name, Cursor(connected.epoch, seq))

    def _cursor(self, channel: str | None) -> Cursor | None:
        return self._session if channel is None else self._channels.get(channel)

    def _move(self, channel: str | None, to: Cursor) -> None:
        if channel is None:
            self._session = to
            return
        self._channels.pop(channel, None)
        self._channels[channel] = to
        if len(self._channels) > MAX_CHANNEL_CURSORS:
            del self._channels[next(name for name in self._channels if name != BROADCAST)]


def _beginning(connected: Connected) -> Cursor:
    return Cursor(connected.epoch, connected.last_seq or 0)


def _seq(cursor: Cursor, epoch: str | None) -> int:
    """Its number, where *epoch* gives it a meaning."""
    return cursor.seq if cursor.epoch == epoch else 0
