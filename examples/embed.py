"""
A Trio program that has a gateway inside and pushes its own events while it serves.

    .venv/bin/python examples/embed.py

It listens where `make serve` does: stop that first. Then connect any WebSocket client to ws://127.0.0.1:18790
and send `{"type":"connect"}`: it is sent what this program broadcasts. Send
`{"type":"chat","content":"3","session_id":"…"}` with the id from the answer: a job of three steps begins,
which reports to that session alone, long after the turn that ordered it is over.
"""

from __future__ import annotations

from collections.abc import Sequence

import trio

from bamboo_gateway import AgentError, Gateway, GatewayConfig, GatewayError, Turn
from bamboo_gateway.config import Address
from bamboo_gateway.protocol import AgentToken

STEP_INTERVAL = 0.2  # seconds
MAX_JOBS = 100


async def main(
    config: GatewayConfig = GatewayConfig(),  # noqa: B008 -- it is frozen
    *,
    task_status: trio.TaskStatus[Sequence[Address]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve clients and work through their jobs, until cancelled."""
    jobs_send, jobs_receive = trio.open_memory_channel[tuple[str, int]](MAX_JOBS)

    async def agent(turn: Turn) -> None:
        if not turn.message.content.isdecimal():
            raise AgentError("say how many steps the job has, such as 3")
        steps = int(turn.message.content)
        await jobs_send.send((turn.session.id, steps))
        await turn.token(f"a job of {steps} steps is queued\n")

    gateway = Gateway(config, agent=agent)
    async with trio.open_nursery() as nursery:
        addresses = await nursery.start(gateway.serve)
        print(f"serving on ws://{addresses[0]}", flush=True)
        task_status.started(addresses)
        async for session_id, steps in jobs_receive:
            await work(gateway, session_id, steps)


async def work(gateway: Gateway, session_id: str, steps: int) -> None:
    """Do one job: tell its session of each step, and everybody of the end."""
    for step in range(1, steps + 1):
        await trio.sleep(STEP_INTERVAL)
        try:
            await gateway.send_to(session_id, AgentToken(session_id, f"step {step} of {steps}\n"))
        except GatewayError as error:  # the session was deleted meanwhile
            print(f"nobody to report to: {error}")
    await gateway.broadcast(AgentToken("*", f"a job of {steps} steps is done\n"))


if __name__ == "__main__":
    trio.run(main)
