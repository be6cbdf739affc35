"""The channels inside the gateway: who has joined, and the log that they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import attrs

from ..errors import ErrorCode, GatewayError
from .effects import Effect, Follow, SaveChannel, Unfollow
from .live import LiveSession
from .log import Log, LogLimits
from .requests import ChannelInfo
from .stored import StoredChannel

BROADCAST = "*"
"""The channel that every connection follows and none can join."""


@attrs.define(eq=False)
class _Channel:
    log: Log
    members: int = 0

    def save(self) -> SaveChannel:
        return SaveChannel(self.log.number, self.log.name, self.members)


class ChannelTable:
    """
    Every channel by its name, and the log of broadcasts.

    Invariant: a channel counts the sessions that hold its name in their
    `channels`, whether they are in memory or not.
    """

    def __init__(
        self, limits: LogLimits, max_channels: int, epoch: str, stored: Sequence[StoredChannel] = ()
    ) -> None:
        self._limits = limits
        self.max_channels = max_channels
        self._epoch = epoch
        self._channels: dict[str, _Channel] = {}
        self._lowest = min((each.number for each in stored), default=0)
        self.broadcasts = self._log(StoredChannel(0, BROADCAST, 0))
        for each in stored:
            if each.number == 0:
                self.broadcasts = self._log(each)
            else:
                self._channels[each.name] = _Channel(self._log(each), each.members)

    def __len__(self) -> int:
        return len(self._channels)

    @property
    def logs(self) -> Iterator[Log]:
        """The log of each, that of broadcasts among them."""
        yield self.broadcasts
        yield from (channel.log for channel in self._channels.values())

    def create(self, name: str) -> tuple[Log, SaveChannel]:
        """
        Make a channel without members; returns its log, and what is to be stored.

        Raises:
            GatewayError: `CHANNEL_EXISTS`, or `LIMIT_EXCEEDED`.
        """
        if name in self._channels or name == BROADCAST:
            raise GatewayError(ErrorCode.CHANNEL_EXISTS, f"channel {name!r} exists already")
        if len(self._channels) >= self.max_channels:
            raise GatewayError(ErrorCode.LIMIT_EXCEEDED, f"there are {len(self._channels)} channels already")
        self._lowest -= 1
        channel = self._channels[name] = _Channel(self._log(StoredChannel(self._lowest, name, 0)))
        return channel.log, channel.save()

    def join(self, name: str, session: LiveSession) -> Iterator[Effect]:
        """
        Let the watchers of *session* follow the channel from now on.

        Raises:
            GatewayError: `CHANNEL_NOT_FOUND`.
        """
        channel = self._find(name)
        if name not in session.channels:
            channel.members += 1
            session.channels.add(name)
            yield channel.save()
            for connection_id in session.watchers:
                yield Follow(connection_id, channel.log, channel.log.visible_seq)

    def leave(self, name: str, session: LiveSession) -> Iterator[Effect]:
        """
        End what `join` began.

        Raises:
            GatewayError: `CHANNEL_NOT_FOUND`, or `NOT_A_MEMBER`.
        """
        channel = self._joined(name, session)
        channel.members -= 1
        session.channels.remove(name)
        yield channel.save()
        for connection_id in session.watchers:
            yield Unfollow(connection_id, channel.log)

    def forget(self, session: LiveSession) -> Iterator[Effect]:
        """The session is no more."""
        for name in sorted(session.channels):
            self._channels[name].members -= 1
            yield self._channels[name].save()

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
        joined = session is not None and name in session.channels
        return ChannelInfo(name, channel.members, joined, channel.log.last_seq)

    def validate_state(self, sessions: Mapping[str, LiveSession]) -> None:
        """Check the invariant, as far as the *sessions* in memory tell; for tests."""
        joined = Counter(name for session in sessions.values() for name in session.channels)
        assert all(self._channels[name].members >= count for name, count in joined.items())

    def _log(self, stored: StoredChannel) -> Log:
        return Log(
            stored.name,
            self._epoch,
            self._limits,
            channel=stored.name,
            number=stored.number,
            last_seq=stored.log.last_seq,
            entries=stored.log.entries,
        )

    def _find(self, name: str) -> _Channel:
        channel = self._channels.get(name)
        if channel is None:
            raise GatewayError(
                ErrorCode.CHANNEL_NOT_FOUND, f"no channel {name!r:.80}; channel.create makes one"
            )
        return channel

    def _joined(self, name: str, session: LiveSession) -> _Channel:
        channel = self._find(name)
        if name not in session.channels:
            raise GatewayError(ErrorCode.NOT_A_MEMBER, f"join channel {name!r} first (channel.join)")
        return channel
