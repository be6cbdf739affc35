"""What clients say to the agent, and what is foretold of it."""

from __future__ import annotations

from collections.abc import Sequence

from tests.machines.clients.actor import Actor
from tests.machines.clients.model import MAX_QUEUED, Run, SessionModel
from tests.machines.clients.stage import Stage


def chat(stage: Stage, actor: Actor, runs: Sequence[Run], session: SessionModel | None) -> None:
    """A client says some chats in one packet, to its own *session* or not."""
    _say(actor, runs, session)
    stage.settle()


def chat_together(stage: Stage, session: SessionModel, runs: Sequence[Run]) -> None:
    """
    The watchers of an idle session all chat at once, nobody knows in which order.

    It has room for all of *runs*, and none of them is held, so that the order
    decides nothing.
    """
    for actor, run in zip(stage.watchers(session), runs, strict=False):
        _say(actor, [run], session)
    stage.settle()


def repeat(stage: Stage, actor: Actor, run: Run, *, is_other: bool) -> None:
    """
    A client says again what its session has accepted, whoever said it: the first outcome is its answer.

    Args:
        stage: Where it does.
        actor: Who does.
        run: What was accepted.
        is_other: It says something else, with the same id.
    """
    assert actor.session is not None
    if is_other:
        actor.view.expect("error", code="ID_REUSED", id=run.chat_id)
    elif actor.protocol > 1:
        actor.view.expect("chat_accepted", id=run.chat_id, run_id=run.run_id, session_id=actor.session.id)
    content = run.script + "t" * is_other
    actor.say(("chat", {"content": content, "session_id": actor.session.id.value, "id": run.chat_id}))
    stage.settle()


def _say(actor: Actor, runs: Sequence[Run], session: SessionModel | None) -> None:
    session_id = session.id.value if session else "unknown"
    for run in runs:
        _foretell(actor, run, session)
    actor.say(
        *(("chat", {"content": run.script, "session_id": session_id, "id": run.chat_id}) for run in runs)
    )


def _foretell(actor: Actor, run: Run, session: SessionModel | None) -> None:
    if code := _error(actor, session):
        actor.view.expect("error", code=code, id=run.chat_id)
    elif actor.session is not None:
        if actor.protocol > 1:
            actor.view.expect("chat_accepted", id=run.chat_id, run_id=run.run_id, session_id=actor.session.id)
        actor.session.submit(run)


def _error(actor: Actor, session: SessionModel | None) -> str | None:
    if actor.session is None:
        return "NOT_CONNECTED"
    if session is not actor.session:
        return "SESSION_MISMATCH"
    return "QUEUE_FULL" if session.waiting > MAX_QUEUED else None


def release(stage: Stage, session: SessionModel) -> None:
    """A turn goes on."""
    stage.world.agent.release(session.id.value)
    session.release()
    stage.settle()


def abort(stage: Stage, actor: Actor) -> None:
    """A client aborts all turns of its session."""
    if actor.session is not None:
        actor.session.abort()
    stage.command(actor, "session.abort", {}, ok=actor.session is not None)
