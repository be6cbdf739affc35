"""The benchmarks run, and count right; what they measure is nobody's promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.protocol.framing import ping_frame, text_frame
from benchmarks.__main__ import FLOOD
from benchmarks.frames import take_messages
from benchmarks.peers import PEERS
from benchmarks.report import ratio
from benchmarks.results import Benchmark
from benchmarks.workloads import WORKLOADS


def run_tiny(name: str) -> list[str]:
    """Run one benchmark in small; returns the lines that it prints."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--tiny", name],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout.strip().splitlines()


@pytest.mark.integration
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the CPU time of another process")
@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_peer_does_every_workload(workload: str) -> None:
    """A tiny run ends well, with a row for each peer that says that it took time."""
    title, _, *rows = run_tiny(workload)
    assert title.startswith(WORKLOADS[workload].title)
    for name, row in zip(PEERS.values(), rows, strict=True):
        assert row.strip().startswith(name)
        assert float(row.split()[-2]) > 0


@pytest.mark.integration
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the CPU time of another process")
@pytest.mark.parametrize("benchmark", FLOOD, ids=lambda each: each.name)
def test_every_benchmark_runs(benchmark: Benchmark) -> None:
    """A tiny run ends well."""
    title, *rows = run_tiny(benchmark.name)
    assert title == benchmark.title
    assert rows


@given(
    messages=st.lists(st.binary(max_size=200) | st.binary(min_size=65_500, max_size=65_600), max_size=5),
    cut=st.integers(min_value=1, max_value=50),
)
def test_messages_come_whole_however_they_are_cut(messages: list[bytes], cut: int) -> None:
    """Frames that arrive in any pieces give the same messages; pings among them give none."""
    stream = b"".join(ping_frame() + text_frame(message) for message in messages)
    received = bytearray()
    taken: list[bytes] = []
    for start in range(0, len(stream), cut):
        received += stream[start : start + cut]
        taken += take_messages(received)
    assert taken == messages
    assert not received


def test_ratio_compares_each_round_with_its_neighbour() -> None:
    """A busy minute that hits both of a round does not count for either."""
    assert ratio([2.0, 20.0, 4.0], [1.0, 10.0, 1.0]) == pytest.approx(2.0)
