"""
The seams where something else can be plugged in: agents, outside channels, storage, who may come in.

A `Protocol` stands here only where two implementations exist. Each has one
contract suite under `tests/contracts` that every adapter runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from .principal import Credentials, Principal
from .protocol.messages import ChannelMessage, Json, TokenUsage
from .session.effects import Change
from .session.history import NumberedMessage
from .session.log import LogLimits
from .session.session import Session
from .session.stored import StoredSession, StoredState
from .turn import Turn


class Agent(Protocol):
    """
    An agent is one async function: it is called once a turn and streams its answer through the turn.

    One that has an attribute `resume` which is true is called again when the
    gateway ended in the midst of its turn; any other turn is closed then.
    """

    async def __call__(self, turn: Turn, /) -> TokenUsage | None:
        """
        Answer `turn.message`.

        Cancelled when the turn is aborted. An exception becomes one
        `error{AGENT_ERROR}`; its text is shown to the client only when it is an
        `AgentError`.

        Returns:
            What the turn has cost; None counts as nothing.
        """
        ...


def is_resumable(agent: Agent) -> bool:
    """Does *agent* go on with a turn in whose midst an earlier gateway ended?"""
    return bool(getattr(agent, "resume", False))


@runtime_checkable
class ToolAgent(Protocol):
    """An agent that also answers commands which the gateway does not know."""

    async def call_tool(self, name: str, args: Json, /) -> Json:
        """
        Run the tool *name*.

        Raises:
            UnknownToolError: There is no such tool.
            AgentError: It failed; the text is shown to the client.
        """
        ...


class Channel(Protocol):
    """A place outside the gateway that messages are sent to (a chat service, a queue, a log)."""

    async def send(self, message: ChannelMessage, /) -> None:
        """
        Pass *message* on.

        An exception becomes `error{CHANNEL_ERROR}` for the sender. What comes
        *from* such a place is given to `gateway.channels.publish`.
        """
        ...


class Authenticator(Protocol):
    """Tells who shows credentials; one async function of an embedding program will do."""

    async def __call__(self, credentials: Credentials, /) -> Principal | None:
        """
        Tell whose *credentials* these are; None: nobody's.

        Called before anything else is done for a client, under its deadline. An
        exception is logged, and the client is refused.

        One that has an attribute `asks` which is false lets everybody in, as the
        operator, for as long as it is.
        """
        ...


def asks_who(authenticate: Authenticator) -> bool:
    """Does anybody have to say who they are?"""
    return bool(getattr(authenticate, "asks", True))


@runtime_checkable
class RevocableAuthenticator(Authenticator, Protocol):
    """One that can tell when somebody it has let in is to be let in no longer."""

    def refresh(self) -> bool:
        """Look, without waiting, whether anything has changed since the last look; a few times a second."""
        ...

    def still_holds(self, principal: Principal) -> bool:
        """Would the credentials that *principal* has shown make the same principal now?"""
        ...


class SessionStorage(Protocol):
    """
    Where sessions outlive the process.

    Every method raises `StorageError` where the storage fails, and may then be
    called again: what fails has changed nothing. A cancelled call may or may
    not have taken place.

    One whose `commit` waits for nothing may say so by an attribute `is_instant`
    which is true: it is called without a trip to another task then.
    """

    async def open(self, log_limits: LogLimits) -> StoredState:
        """
        Begin; called once, before all else.

        Args:
            log_limits: No more of a channel's log needs to be given back.
        """
        ...

    async def commit(self, changes: Sequence[Change], /) -> None:
        """
        Make *changes* durable, in order, all or none. Called by one task at a time.

        A change that finds nothing to change is none; nor is the delivery of an
        entry that is there, or was: a batch may come again. The log of
        broadcasts needs no `SaveChannel`. A session that is saved again keeps
        its owner and its shares, and a turn its place; an outcome becomes the
        newest.
        """
        ...

    async def load(self, session_id: str, log_limits: LogLimits, history_bytes: int) -> StoredSession | None:
        """
        All that is needed to go on with a session, as it was last committed; None: there is none.

        Args:
            session_id: Its id.
            log_limits: No more of its log needs to be given back (the newest is), unless a turn is not over:
                the answer so far is in all of what is stored.
            history_bytes: The newest messages of about this size together, and at least the last.
        """
        ...

    async def list(
        self, user_id: str | None, after: int, limit: int, *, newest_first: bool = False, search: str = ""
    ) -> Sequence[Session]:
        """
        At most *limit* sessions in the order of their numbers, rising or falling.

        Args:
            user_id: Who owns them, or has them shared; None: all.
            after: The number of the last one of the page before; 0: there is none, begin at the beginning.
            limit: How many.
            newest_first: Begin with the greatest number; *after* has a lower one behind it then.
            search: Only those in whose id, name or owner's id this text stands, as `session.search` has it.
        """
        ...

    async def read_messages(self, session_id: str, first: int, end: int) -> Sequence[NumberedMessage]:
        """The messages of a session's conversation from number *first* up to and without *end*."""
        ...

    async def find_inactive(self, since: float, limit: int) -> Sequence[str]:
        """The ids of *limit* sessions at most, last active at *since* (Unix seconds) or before, in order."""
        ...

    async def expire(self, before: int, max_log_bytes: int, outcomes_before: int) -> None:
        """
        Forget what nobody may ask for any more, a bounded part of it at a time.

        Logs lose their beginnings only: an old time behind a younger one waits.
        Called by another task than `commit` is, whose calls come in between.

        Args:
            before: Entries of logs older than this (Unix milliseconds).
            max_log_bytes: The oldest entries of all logs, until the others are no more than this.
            outcomes_before: Outcomes older than this (Unix milliseconds).
        """
        ...

    async def aclose(self) -> None:
        """Let go of what it holds; nothing is called after this."""
        ...


def is_instant(storage: SessionStorage) -> bool:
    """Does *storage* commit without waiting for anything?"""
    return bool(getattr(storage, "is_instant", False))
