"""The channels inside the gateway: who has joined, and the log that they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from ..errors import ErrorCode, GatewayError
from .audience import may_follow
from .effects import DropChannel, Effect, Follow, SaveChannel, SaveSession, Unfollow
from .live import LiveSession
from .log import BROADCAST, Log, LogLimits
from .requests import Caller, ChannelInfo
from .stored import StoredChannel


@attrs.define(eq=False)
class _Channel:
    log: Log
    user_id: str | None
    """Whose it is; None: the gateway's."""
    members: int = 0

    def save(self) -> SaveChannel:
        return SaveChannel(self.log.number, self.log.name, self.members, self.user_id)


class ChannelTable:
    """
    Every channel by its name, and the log of broadcasts.

    Invariant: a channel counts the sessions that hold its name in their
    `channels`, whether they are in memory or not. A number is never given
    again, so a session that slept while a channel of its was deleted is no
    member of the next one of that name.

    Args:
        limits: What bounds each log.
        max_channels: All that there may be.
        epoch: Of the logs.
        stored: What there is.
        lowest: The lowest number that was ever given.
    """

    def __init__(
        self,
        limits: LogLimits,
        max_channels: int,
        epoch: str,
        stored: Sequence[StoredChannel] = (),
        lowest: int = 0,
    ) -> None:
        self.max_channels = max_channels
        """All that there may be."""
        self._limits = limits
        self._epoch = epoch
        self._channels: dict[str, _Channel] = {}
        self._counts: Counter[str] = Counter()
        """User id → channels of theirs."""
        self._lowest = min([lowest, *(each.number for each in stored)])
        self.broadcasts = self._log(StoredChannel(0, BROADCAST, 0))
        for each in stored:
            if each.number == 0:
                self.broadcasts = self._log(each)
            else:
                self._add(_Channel(self._log(each), each.user_id, each.members))

    def __len__(self) -> int:
        return len(self._channels)

    @property
    def logs(self) -> Iterator[Log]:
        """The log of each, that of broadcasts among them."""
        yield self.broadcasts
        yield from (channel.log for channel in self._channels.values())

    def create(self, name: str, user_id: str | None, quota: int | None) -> tuple[Log, SaveChannel]:
        """
        Make a channel without members; returns its log, and what is to be stored.

        Args:
            name: Its name.
            user_id: Whose it is; None: the gateway's.
            quota: Channels that they may have; None: any number.

        Raises:
            GatewayError: `CHANNEL_EXISTS`, or `LIMIT_EXCEEDED`.
        """
        if name in self._channels or name == BROADCAST:
            raise GatewayError(ErrorCode.CHANNEL_EXISTS, f"channel {name!r} exists already")
        if len(self._channels) >= self.max_channels:
            raise GatewayError(ErrorCode.LIMIT_EXCEEDED, f"there are {len(self._channels)} channels already")
        if user_id is not None and quota is not None and self._counts[user_id] >= quota:
            raise GatewayError(
                ErrorCode.LIMIT_EXCEEDED,
                f"{user_id!r:.80} may have {quota} channels, and has {self._counts[user_id]}; delete one "
                "(channel.delete), or have the operator raise max_channels_per_principal",
            )
        self._lowest -= 1
        channel = _Channel(self._log(StoredChannel(self._lowest, name, 0)), user_id)
        self._add(channel)
        return channel.log, channel.save()

    def delete(self, name: str, caller: Caller, sessions: Iterable[LiveSession]) -> tuple[Log, list[Effect]]:
        """
        End a channel: its members leave, whether they are among the *sessions* in memory or not.

        Raises:
            GatewayError: `CHANNEL_NOT_FOUND`; or `FORBIDDEN`: it is not the caller's.
        """
        channel = self._find(name)
        if not caller.principal.owns(channel.user_id):
            raise GatewayError(
                ErrorCode.FORBIDDEN,
                f"channel {name!r} can be deleted by who has made it, and by an operator, and not by you",
            )
        effects: list[Effect] = []
        for session in sessions:
            if session.channels.pop(name, None) is not None:
                effects += _unfollow(channel.log, session)
                effects.append(SaveSession(session.snapshot()))
        del self._channels[name]
        if channel.user_id is not None:
            self._counts[channel.user_id] -= 1
        effects.append(DropChannel(channel.log.number))
        return channel.log, effects

    def known(self, channels: Mapping[str, int]) -> dict[str, int]:
        """Those of *channels* (name → number) that are there."""
        return {
            name: number
            for name, number in channels.items()
            if (channel := self._channels.get(name)) and channel.log.number == number
        }

    def join(self, name: str, session: LiveSession) -> Iterator[Effect]:
        """
        Let the watchers of *session* follow the channel from now on.

        Raises:
            GatewayError: `CHANNEL_NOT_FOUND`.
        """
        channel = self._find(name)
        if name not in session.channels:
            channel.members += 1
            session.channels[name] = channel.log.number
            yield channel.save()
            for connection in session.watchers.values():
                if may_follow(channel.log, connection):
                    yield Follow(connection.id, channel.log, channel.log.visible_seq)

    def leave(self, name: str, session: LiveSession) -> Iterator[Effect]:
        """
        End what `join` began.

        Raises:
            GatewayError: `CHANNEL_NOT_FOUND`, or `NOT_A_MEMBER`.
        """
        channel = self._joined(name, session)
        channel.members -= 1
        del session.channels[name]
        yield channel.save()
        yield from _unfollow(channel.log, session)

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

    def describe(self, caller: Caller, session: LiveSession | None) -> list[ChannelInfo]:
        """All channels, oldest first, as *caller* sees them from *session*."""
        return [self.describe_one(name, caller, session) for name in self._channels]

    def describe_one(self, name: str, caller: Caller, session: LiveSession | None) -> ChannelInfo:
        """One channel, which exists, as *caller* sees it from *session*."""
        channel = self._channels[name]
        joined = session is not None and name in session.channels
        owned = caller.principal.owns(channel.user_id)
        return ChannelInfo(name, channel.members, joined, channel.log.last_seq, owned)

    def validate_state(self, sessions: Mapping[str, LiveSession]) -> None:
        """Check the invariant, as far as the *sessions* in memory tell; for tests."""
        joined = Counter(name for session in sessions.values() for name in session.channels)
        assert all(self._channels[name].members >= count for name, count in joined.items())
        assert all(self.known(session.channels) == session.channels for session in sessions.values())
        owned = Counter(each.user_id for each in self._channels.values() if each.user_id is not None)
        assert +self._counts == owned
        assert all(self._lowest <= each.log.number < 0 for each in self._channels.values())

    def _add(self, channel: _Channel) -> None:
        self._channels[channel.log.name] = channel
        if channel.user_id is not None:
            self._counts[channel.user_id] += 1

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


def _unfollow(log: Log, session: LiveSession) -> Iterator[Effect]:
    for connection in session.watchers.values():
        if may_follow(log, connection):
            yield Unfollow(connection.id, log)
