"""Channels inside the gateway: made, joined, sent to and left."""

from __future__ import annotations

from collections.abc import Sequence

from .. import requests
from ..access import Access
from ..effects import Effect, SaveSession
from ..requests import ChannelInfo
from ..session import Session
from .state import Handlers, TableState, append_to


def _create(
    state: TableState, request: requests.CreateChannel, now: float, effects: list[Effect]
) -> ChannelInfo:
    principal = request.caller.principal
    owner = None if principal.is_operator else principal.user_id
    log, save = state.channels.create(request.name, owner, state.limits.quotas_of(principal).max_channels)
    state.shelf.add(log)
    effects.append(save)
    return state.channels.describe_one(request.name, request.caller, state.watched(request.caller))


def _delete(state: TableState, request: requests.DeleteChannel, now: float, effects: list[Effect]) -> str:
    log, ended = state.channels.delete(request.name, request.caller, state.sessions)
    state.shelf.remove(log)
    effects += ended
    return request.name


def _list(
    state: TableState, request: requests.ListChannels, now: float, effects: list[Effect]
) -> Sequence[ChannelInfo]:
    return state.channels.describe(request.caller, state.watched(request.caller))


def _join(state: TableState, request: requests.JoinChannel, now: float, effects: list[Effect]) -> ChannelInfo:
    session = state.find(request.caller, request.session_id, Access.CHAT)
    if request.name not in session.channels:
        effects += state.channels.join(request.name, session)
        effects.append(SaveSession(session.snapshot()))
    return state.channels.describe_one(request.name, request.caller, session)


def _leave(
    state: TableState, request: requests.LeaveChannel, now: float, effects: list[Effect]
) -> ChannelInfo:
    session = state.find(request.caller, request.session_id, Access.CHAT)
    effects += state.channels.leave(request.name, session)
    effects.append(SaveSession(session.snapshot()))
    return state.channels.describe_one(request.name, request.caller, session)


def _get_member(state: TableState, request: requests.GetMember, now: float, effects: list[Effect]) -> Session:
    session = state.find(request.caller, request.session_id, Access.CHAT)
    state.channels.log_for(request.name, session)
    return session.snapshot()


def _send(state: TableState, request: requests.SendToChannel, now: float, effects: list[Effect]) -> int:
    message = request.message
    if message.session_id is None:
        return append_to(state.channels.log(message.channel), message, now, effects)
    # `GetMember` has told before whether who sends it may.
    session = state.find(requests.OPERATOR, message.session_id, Access.CHAT)
    seq = append_to(state.channels.log_for(message.channel, session), message, now, effects)
    session.last_activity = now
    return seq


HANDLERS: Handlers = {
    requests.CreateChannel: _create,
    requests.DeleteChannel: _delete,
    requests.ListChannels: _list,
    requests.JoinChannel: _join,
    requests.LeaveChannel: _leave,
    requests.GetMember: _get_member,
    requests.SendToChannel: _send,
}
