"""Messages that are carried out once, however often their client says them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import attrs
import trio

from .errors import ErrorCode, GatewayError
from .registry import SessionRegistry
from .session.outcomes import Answer, MessageKey
from .session.requests import (
    Abandon,
    Admit,
    Caller,
    Claim,
    Known,
    Perform,
    Performed,
    PerformOnce,
    Request,
    Settle,
)

SETTLE_DEADLINE = 1.0
"""Seconds that a message may take to say that it is not carried out."""


@attrs.frozen
class Operation:
    """A change in the registry, and what has to follow outside of it."""

    request: Request[Any]
    describe: Callable[[Any], Any]
    """Makes of the reply what the client is told; has no effect."""
    then: Callable[[], Awaitable[None]] | None = None
    """Follows the change; raises `GatewayError` where it fails, which undoes nothing."""


@attrs.frozen
class Once:
    """
    One client's message.

    Without a key (a client that gave it no id) nothing is remembered, and each
    time is the first.
    """

    registry: SessionRegistry
    caller: Caller
    key: MessageKey | None
    refuse: Callable[[GatewayError], Answer]
    """Makes the answer of an error."""

    async def perform(self, operation: Operation) -> Answer | None:
        """
        Carry out *operation*, or repeat what came of it; None: the answer is sent when it is known.

        Raises:
            GatewayError: The registry refused, and nothing was done.
        """
        if self.key is None:
            answer = operation.describe(await self.registry.ask(Perform(operation.request)))
            return await self._follow(operation, Performed(answer, None))
        interrupted = self.refuse(_interrupted()) if operation.then else None
        request = PerformOnce(self.caller, self.key, operation.request, operation.describe, interrupted)
        try:
            performed = await self.registry.ask(request)
            if isinstance(performed, Known):
                return performed.answer
            return await self._follow(operation, performed)
        except BaseException:
            if interrupted is not None:
                await self._abandon(interrupted, is_new=False)
            raise

    async def run(self, run: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """
        Have *run* carry it out, which is no change in the registry; or repeat what came of it.

        Cancelled, it counts as interrupted: nobody knows how far it has come.

        Raises:
            GatewayError: It cannot be remembered, and was not run.
        """
        if self.key is None:
            await self.registry.ask(Admit())
            return await run()
        interrupted = self.refuse(_interrupted())
        has_begun = False
        try:
            claim = await self.registry.ask(Claim(self.caller, self.key, interrupted))
            if isinstance(claim, Known):
                return claim.answer
            has_begun = True
            return await self._settle(claim.session_id, await run())
        except BaseException:
            await self._abandon(interrupted, is_new=not has_begun)
            raise

    async def _follow(self, operation: Operation, performed: Performed) -> Answer:
        """Do what has to follow, if anything has."""
        if operation.then is None:
            return performed.answer
        try:
            await operation.then()
        except GatewayError as error:
            return await self._settle(performed.session_id, self.refuse(error))
        return await self._settle(performed.session_id, performed.answer)

    async def _settle(self, session_id: str | None, answer: Answer) -> Answer:
        if session_id is not None and self.key is not None:
            await self.registry.ask(Settle(self.caller, session_id, self.key, answer))
        return answer

    async def _abandon(self, answer: Answer, *, is_new: bool) -> None:
        """Left open, a message would have every repeat wait for ever."""
        assert self.key is not None, "otherwise nothing was claimed"
        deadline = trio.current_time() + SETTLE_DEADLINE
        with trio.CancelScope(shield=True, deadline=deadline), suppress(trio.BrokenResourceError):
            await self.registry.tell(Abandon(self.caller, self.key, answer, is_new))


def _interrupted() -> GatewayError:
    return GatewayError(
        ErrorCode.COMMAND_INTERRUPTED,
        "the gateway or the connection ended while this was carried out; how far it had come is unknown",
    )
