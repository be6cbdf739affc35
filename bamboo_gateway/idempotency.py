"""Messages that are carried out once, however often their client says them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import attrs
import trio

from .errors import GatewayError
from .registry import SessionRegistry
from .session.outcomes import Answer, MessageKey
from .session.requests import Caller, Claim, Known, Performed, PerformOnce, Request, Settle

SETTLE_DEADLINE = 1.0
"""Seconds that a cancelled message may take to say so."""


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
        performed: Performed | Known
        if self.key is None:
            reply = await self.registry.ask(operation.request)
            performed = Performed(operation.describe(reply), None)
        else:
            request = PerformOnce(self.caller, self.key, operation.request, operation.describe)
            performed = await self.registry.ask(request)
        if isinstance(performed, Performed) and operation.then is not None:
            try:
                await operation.then()
            except GatewayError as error:
                return await self._settle(performed.session_id, self.refuse(error))
        return performed.answer

    async def run(self, run: Callable[[], Awaitable[Answer]], interrupted: GatewayError) -> Answer | None:
        """
        Have *run* carry it out, which is no change in the registry; or repeat what came of it.

        Cancelled, it counts as *interrupted*: nobody knows how far it has come.

        Raises:
            GatewayError: It cannot be remembered, and was not run.
        """
        if self.key is None:
            return await run()
        claim = await self.registry.ask(Claim(self.caller, self.key, self.refuse(interrupted)))
        if isinstance(claim, Known):
            return claim.answer
        answer = self.refuse(interrupted)
        try:
            answer = await run()
        except BaseException:
            # Left open, it would have every repeat wait for ever.
            deadline = trio.current_time() + SETTLE_DEADLINE
            with (
                trio.CancelScope(shield=True, deadline=deadline),
                suppress(GatewayError, trio.BrokenResourceError),
            ):
                await self._settle(claim.session_id, answer)
            raise
        return await self._settle(claim.session_id, answer)

    async def _settle(self, session_id: str | None, answer: Answer) -> Answer:
        if session_id is not None and self.key is not None:
            await self.registry.ask(Settle(session_id, self.key, answer))
        return answer
