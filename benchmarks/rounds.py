"""The peers, measured in turn."""

from __future__ import annotations

from collections.abc import Iterable

from .crowd import open_crowd
from .server import run_server
from .workloads.workload import Workload

Measured = dict[str, list[float]]
"""Peer → microseconds of the server's CPU time for one unit of work, round by round."""


def run_rounds(
    workload: Workload, peers: Iterable[str], rounds: int, connections: int, repeats: int
) -> Measured:
    """Let each peer do the work once a round, one peer after the other."""
    measured: Measured = {peer: [] for peer in peers}
    for _ in range(rounds):
        for peer, costs in measured.items():
            costs.append(_measure(workload, peer, connections, repeats))
    return measured


def _measure(workload: Workload, peer: str, connections: int, repeats: int) -> float:
    module = f"{__package__}.peers.{peer}"
    with run_server(module) as server, open_crowd(server.port, connections) as crowd:
        workload.run(crowd, 1)  # once for whatever is done only once
        before = server.cpu_time()
        workload.run(crowd, repeats)
        return (server.cpu_time() - before) / (connections * repeats) * 1e6
