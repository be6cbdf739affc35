"""What clients do with channels, and what is foretold of it."""

from __future__ import annotations

from tests.machines.clients.actor import Actor
from tests.machines.clients.stage import Stage


def join(stage: Stage, actor: Actor, channel: str) -> None:
    """A client lets its session join a channel."""
    session = actor.session
    if session is not None and channel not in session.channels:
        session.channels.add(channel)
        for watcher in stage.watchers(session):
            watcher.view.follow(stage.channels[channel])
    stage.command(actor, "channel.join", {"name": channel}, ok=session is not None)


def leave(stage: Stage, actor: Actor, channel: str) -> None:
    """A client lets its session leave a channel."""
    session = actor.session
    is_member = session is not None and channel in session.channels
    if session is not None and is_member:
        session.channels.remove(channel)
        for watcher in stage.watchers(session):
            watcher.view.leave(stage.channels[channel])
    stage.command(actor, "channel.leave", {"name": channel}, ok=is_member)


def send(stage: Stage, actor: Actor, channel: str) -> None:
    """A client sends a message by a command."""
    is_member = actor.session is not None and channel in actor.session.channels
    content = _next_message(stage, channel) if is_member else "unheard"
    stage.command(actor, "channel.send", {"name": channel, "content": content}, ok=is_member)


def chat(stage: Stage, actor: Actor, channel: str) -> None:
    """A client, which watches a session, sends a message by a chat."""
    assert actor.session is not None
    is_member = channel in actor.session.channels
    content = _next_message(stage, channel) if is_member else "unheard"
    chat_id = f"{content} to {channel}"
    if not is_member:
        actor.view.expect("error", code="NOT_A_MEMBER", id=chat_id)
    elif actor.protocol > 1:
        actor.view.expect("chat_accepted", id=chat_id, channel=channel)
    fields = {"content": content, "session_id": actor.session.id.value, "metadata": {"channel": channel}}
    actor.say(("chat", {**fields, "id": chat_id}))
    stage.settle()


def _next_message(stage: Stage, channel: str) -> str:
    stage.channels[channel].grow()
    return f"{channel} {stage.channels[channel].last_seq}"
