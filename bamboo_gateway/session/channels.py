"""The channels inside the gateway: who has joined, and the log that they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from ..errors import ErrorCode, GatewayError
from .effects import Effect, Follow, Unfollow
from .live import LiveSession
from .log import Log, LogLimits
from .requests import ChannelInfo

BROADCAST = "*"
"""The channel that every connection follows and none can join."""


@attrs.define(eq=False)
class _Channel:
    log: Log
    members: set[str] = attrs.field(factory=set)


class ChannelTable:
    """
    Every channel by its name, and the log of broadcasts.

    Invariant: a channel's members are exactly the sessions that hold its name
    in `LiveSession.channels`.
    """

    def __init__(self, limits: LogLimits, max_channels: int, epoch: str) -> None:
        self.broadcasts = Log(BROADCAST, epoch, limits, channel=BROADCAST)
        self._limits = limits
        self._max_channels = max_channels
        self._epoch = epoch
        self._channels: dict[str, _Channel] = {}

    def __len__(self) -> int:
        return len(self._channels)

    def create(self, name: str) -> None:
        """
        Make a channel without members.

        Raises:
            GatewayError: `CHANNEL_EXISTS`, or `LIMIT_EXCEEDED`.
        """
        if name in self._channels or name == BROADCAST:
            raise GatewayError(ErrorCode.CHANNEL_EXISTS, f"channel {name!r} exists already")
        if len(self._channels) >= self._max_channels:
            raise GatewayError(ErrorCode.LIMIT_EXCEEDED, f"there are {len(self._channels)} channels already")
        self._channels[name] = _Channel(Log(name, self._epoch, self._limits, channel=name))

    def join(self, name: str, session: LiveSession) -> Iterator[Effect]:
        """
        Let the watchers of *session* follow the channel from now on.

        Raises:
            GatewayError: `CHANNEL_NOT_FOUND`.
        """
        channel = self._find(name)
        if session.id not in channel.members:
            channel.members.add(session.id)
            session.channels.add(name)
            for connection_id in session.watchers:
                yield Follow(connection_id, channel.log, channel.log.last_seq)

    def leave(self, name: str, session: LiveSession) -> Iterator[Effect]:
        """
        End what `join` began.

        Raises:
            GatewayError: `CHANNEL_NOT_FOUND`, or `NOT_A_MEMBER`.
        """
        channel = self._joined(name, session)
        channel.members.remove(session.id)
        session.channels.remove(name)
        for connection_id in session.watchers:
            yield Unfollow(connection_id, channel.log)

    def forget(self, session: LiveSession) -> None:
        """The session is no more."""
        for name in session.channels:
            self._channels[name].members.remove(session.id)

    def log(self, name: str) -> Log:
        """
        Where a message to the channel goes.

        Raises:
            GatewayError: `CHANNEL_NOT_FOUND`.
        """
        return self._find(name).log

    def log_for(self, name: str, session: LiveSession) -> Log:
        """
        Where a message from *session* to the channel goes.

        Raises:
            GatewayError: `CHANNEL_NOT_FOUND`, or `NOT_A_MEMBER`.
        """
        return self._joined(name, session).log

    def logs_of(self, session: LiveSession) -> Sequence[Log]:
        """What a watcher of *session* follows besides its own log."""
        return [self.broadcasts, *(self._channels[name].log for name in sorted(session.channels))]

    def describe(self, session: LiveSession | None) -> list[ChannelInfo]:
        """All channels, oldest first, as *session* sees them."""
        return [self.describe_one(name, session) for name in self._channels]

    def describe_one(self, name: str, session: LiveSession | None) -> ChannelInfo:
        """One channel, which exists, as *session* sees it."""
        channel = self._channels[name]
        joined = session is not None and session.id in channel.members
        return ChannelInfo(name, len(channel.members), joined, channel.log.last_seq)

    def validate_state(self, sessions: Mapping[str, LiveSession]) -> None:
        """Check the invariant against all *sessions*; for tests."""
        joined = {(name, session.id) for session in sessions.values() for name in session.channels}
        assert joined == {
            (name, each) for name, channel in self._channels.items() for each in channel.members
        }

    def _find(self, name: str) -> _Channel:
        channel = self._channels.get(name)
        if channel is None:
            raise GatewayError(
                ErrorCode.CHANNEL_NOT_FOUND, f"no channel {name!r:.80}; channel.create makes one"
            )
        return channel

    def _joined(self, name: str, session: LiveSession) -> _Channel:
        channel = self._find(name)
        if session.id not in channel.members:
            raise GatewayError(ErrorCode.NOT_A_MEMBER, f"join channel {name!r} first (channel.join)")
        return channel
