"""
A FastAPI application with a gateway beside it, in a thread of its own; they call each other.

    .venv/bin/uvicorn examples.fastapi_app:app

Clients' WebSockets go to the gateway, at ws://127.0.0.1:18790; the application's requests go to uvicorn, as
before. A request can say something to everybody, or to one session:

    curl -X POST 'http://127.0.0.1:8000/announcements?text=the+build+is+green'
    curl -X POST 'http://127.0.0.1:8000/sessions/ID/notes?text=your+order+is+on+its+way'

and the agent, which runs on Trio, asks the application, which runs on asyncio.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import attrs
import trio
from fastapi import FastAPI, HTTPException

from bamboo_gateway import Gateway, GatewayConfig, GatewayError, Turn
from bamboo_gateway.protocol import AgentToken

MAX_CALLS = 16
"""How many requests may wait for the gateway at once; the others wait for these."""

ResultT = TypeVar("ResultT")


@attrs.frozen
class GatewayThread:
    """A gateway that serves in another thread; all that is asked of it is asked by `call`."""

    gateway: Gateway
    addresses: Sequence[str]
    _token: trio.lowlevel.TrioToken
    _threads: Executor

    async def call(self, function: Callable[..., Awaitable[ResultT]], *args: object) -> ResultT:
        """
        Run an async *function* of the gateway where it belongs, and return what it returns.

        Cancellation abandons the result, not the call.

        Raises:
            trio.RunFinishedError: The gateway has stopped.
        """
        call = partial(trio.from_thread.run, function, *args, trio_token=self._token)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


@asynccontextmanager
async def gateway_thread(gateway: Gateway) -> AsyncIterator[GatewayThread]:
    """
    Serve for as long as the block lasts: clients can connect when it begins, and are let go of when it ends.

    Raises what `gateway.serve` raises: if it cannot listen, at the beginning; else at the end.
    """
    # Threads of its own: asyncio's are for the application, and few.
    with ThreadPoolExecutor(1 + MAX_CALLS, thread_name_prefix="gateway") as threads:
        started: Future[GatewayThread] = Future()

        async def serve() -> None:
            async with trio.open_nursery() as nursery:
                addresses = await nursery.start(gateway.serve)
                urls = [f"ws://{address}" for address in addresses]
                started.set_result(GatewayThread(gateway, urls, trio.lowlevel.current_trio_token(), threads))

        running = asyncio.get_running_loop().run_in_executor(threads, trio.run, serve)
        starting = asyncio.wrap_future(started)
        either: list[asyncio.Future[Any]] = [running, starting]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await running  # raises why it did not start
        thread = await starting
        try:
            yield thread
        finally:
            with suppress(trio.RunFinishedError, trio.Cancelled):  # it has ended by itself, as `running` says
                await thread.call(gateway.drain)
            await running


async def from_trio(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run *coroutine* on the application's *loop*, and return what it returns; a cancel reaches it."""
    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    try:
        return await trio.to_thread.run_sync(future.result, abandon_on_cancel=True)
    finally:
        future.cancel()  # does nothing where it is done


async def look_up(words: str) -> str:
    """Ask what the application has on asyncio: a database, an HTTP client."""
    await asyncio.sleep(0)
    return f"{len(words.split())} words"


def create_app(config: GatewayConfig) -> FastAPI:
    """Make the application, whose gateway has the settings *config*."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()

        async def agent(turn: Turn) -> None:
            async with turn.tool("look_up", {"words": turn.message.content}) as call:
                call.result = await from_trio(loop, look_up(turn.message.content))
            await turn.token(f"You said {call.result}.")

        async with gateway_thread(Gateway(config, agent=agent)) as app.state.thread:
            yield

    app = FastAPI(title="A shop with an agent", lifespan=lifespan)

    @app.get("/gateway")
    async def where() -> dict[str, str]:
        thread: GatewayThread = app.state.thread
        return {"url": thread.addresses[0]}

    @app.post("/announcements")
    async def announce(text: str) -> dict[str, int]:
        thread: GatewayThread = app.state.thread
        return {"seq": await thread.call(thread.gateway.broadcast, AgentToken("*", text))}

    @app.post("/sessions/{session_id}/notes")
    async def note(session_id: str, text: str) -> dict[str, int]:
        thread: GatewayThread = app.state.thread
        event = AgentToken(session_id, text)
        try:
            return {"seq": await thread.call(thread.gateway.send_to, session_id, event)}
        except GatewayError as error:
            raise HTTPException(404, error.message) from error

    return app


app = create_app(GatewayConfig(bind=os.environ.get("BAMBOO_BIND", "127.0.0.1:18790")))
