"""The benchmarks run, and count right; what they measure is nobody's promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.protocol.framing import ping_frame, text_frame
from benchmarks.frames import take_messages
from benchmarks.peers import PEERS
from benchmarks.results import GATEWAY, Measurement
from benchmarks.results_file import load
from benchmarks.table import BENCHMARKS


def run_tiny(*arguments: str) -> list[str]:
    """Run benchmarks in small; returns the lines that they print."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--tiny", *arguments],
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
def test_every_benchmark_runs(tmp_path: Path) -> None:
    """A tiny run of all ends well, and has a value of each subject for each quantity."""
    run_tiny("--json", str(tmp_path / "results.json"))
    saved = load(tmp_path / "results.json")
    assert [result.name for result in saved.results] == list(BENCHMARKS)
    for result in saved.results:
        assert result.measurements
        for each in result.measurements:
            assert set(each.rounds) == set(PEERS) or GATEWAY in each.rounds, (result.name, each.what)


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
    measurement = Measurement("cost", "µs", {GATEWAY: [2.0, 20.0, 4.0], "other": [1.0, 10.0, 1.0]})
    assert measurement.ratios("other") == [2.0, 2.0, 4.0]
