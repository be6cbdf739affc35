"""The benchmarks run, and count right; what they measure is nobody's promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from bamboo_gateway.protocol.framing import ping_frame, text_frame
from benchmarks.comparison import Comparison
from benchmarks.frames import take_messages
from benchmarks.peers import LIMIT, NODE, PEERS, has_node
from benchmarks.performance_page import make_page
from benchmarks.plots import draw, sizes_of
from benchmarks.report import MET, MISSED, NOT_YET, UNMEASURED, describe, number, reached, verdict
from benchmarks.results import GATEWAY, Measurement, Result, Target
from benchmarks.results_file import Saved, load, save
from benchmarks.table import BENCHMARKS

ROOT = Path(__file__).parent.parent

COST = Measurement(
    "server CPU per delivery",
    "µs",
    {GATEWAY: [2.0, 20.0, 4.0], NODE: [4.0, 40.0, 4.0], LIMIT: [1.0, 10.0, 1.0]},
    [Target(0.7, NODE), Target(1.25, LIMIT), Target(1.0, LIMIT, is_moonshot=True), Target(1.0, "absent")],
)
RATE = Measurement("calls", "1/s", {GATEWAY: [900.0, 1200.0, 1000.0]}, [Target(950, at_least=True)])
SAVED = Saved(
    {"cores": "2"},
    {GATEWAY: "itself", NODE: "a loop", LIMIT: "nothing"},
    [Result("broadcast", "Broadcast", [COST]), Result("calls", "Calls", [RATE])],
)

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells the CPU time of another process"
)


def run_module(*arguments: str) -> list[str]:
    """Run `python -m ARGUMENTS`; returns the lines that it prints."""
    run = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout.strip().splitlines()


@pytest.mark.integration
@linux_only
def test_every_benchmark_runs_and_makes_a_page(tmp_path: Path) -> None:
    """
    A tiny run of all ends well, with a value of each peer in each comparison; a page is written of it.

    Whatever was measured is above 0, but for what is the difference of two measurements: of runs this small,
    on a busy machine, it may be anything.
    """
    if os.environ.get("BAMBOO_REQUIRE_ALL"):
        assert has_node(), "needs node, and `npm ci` in tests/integration/node"
    file = tmp_path / "results.json"
    lines = run_module("benchmarks", "--tiny", "--json", str(file))
    assert lines[-1].startswith("targets: ")
    results = load(file).results
    assert [result.name for result in results] == list(BENCHMARKS)
    for result in results:
        assert result.measurements
        for each in result.measurements:
            is_difference = each.unit == "KB" or "beyond the agents' timers" in each.what
            assert all(values and (is_difference or min(values) > 0) for values in each.rounds.values()), (
                result.name,
                each,
            )
            if isinstance(BENCHMARKS[result.name], Comparison):
                assert set(each.rounds) == {name for name in PEERS if name != NODE or has_node()}
    run_module("benchmarks.performance_page", str(file), "--docs", str(tmp_path / "docs"))
    page = (tmp_path / "docs/performance.md").read_text()
    for figure in (tmp_path / "docs/performance").iterdir():
        assert f"(performance/{figure.name})" in page
        assert figure.stat().st_size < 60_000


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
    assert COST.ratios(NODE) == [0.5, 0.5, 1.0]
    assert COST.figure(Target(0.7, NODE)) == 0.5


def test_a_target_is_met_or_missed_on_its_own_side() -> None:
    """Costs are to be low and rates high; who did not run is not compared, and no moonshot is missed."""
    assert [verdict(COST, target) for target in COST.targets] == [MET, MISSED, NOT_YET, UNMEASURED]
    assert verdict(RATE, Target(950, at_least=True)) == MET
    assert verdict(RATE, Target(1001, at_least=True)) == MISSED
    assert verdict(RATE, Target(950)) == MISSED
    assert verdict(RATE, Target(1000)) == MET


_positive = st.floats(min_value=1e-3, max_value=1e6)


@given(rounds=st.lists(st.tuples(_positive, _positive), min_size=1, max_size=7), factor=_positive)
def test_a_slower_machine_changes_no_ratio(rounds: list[tuple[float, float]], factor: float) -> None:
    """Ratios are of one round: whatever slows both of it down drops out."""

    def measure(slower: float) -> Measurement:
        ours, theirs = ([pair[side] * slower for pair in rounds] for side in (0, 1))
        return Measurement("cost", "µs", {GATEWAY: ours, NODE: theirs})

    assert measure(factor).ratios(NODE) == pytest.approx(measure(1).ratios(NODE))


@given(
    st.builds(
        Saved,
        st.dictionaries(st.text(), st.text(), max_size=3),
        st.dictionaries(st.text(), st.text(), max_size=3),
        st.lists(
            st.builds(
                Result,
                st.text(),
                st.text(),
                st.lists(
                    st.builds(
                        Measurement,
                        st.text(),
                        st.text(),
                        st.dictionaries(st.text(), st.lists(_positive, max_size=3), max_size=3),
                        st.lists(st.builds(Target, _positive, st.none() | st.text(), st.booleans())),
                    ),
                    max_size=2,
                ),
            ),
            max_size=2,
        ),
    )
)
def test_what_is_saved_is_loaded(tmp_path_factory: pytest.TempPathFactory, saved: Saved) -> None:
    """A file gives back what was measured, to the last digit."""
    path = tmp_path_factory.mktemp("saved") / "results.json"
    save(path, saved)
    assert load(path) == saved


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123, "0.12"), (9.99, "9.99"), (12.34, "12.3"), (123.4, "123"), (1234.5, "1,234"), (0.0, "0.00")],
)
def test_numbers_have_the_digits_that_count(value: float, text: str) -> None:
    """Three digits, but for what is large or tiny."""
    assert number(value) == text


def test_targets_are_said_in_words() -> None:
    """A row of the table reads as the target was set."""
    said = [describe(target, COST.unit) for target in COST.targets]
    assert said[:3] == ["≤ 0.7 × Node ws", "≤ 1.25 × kernel limit", "≤ 1 × kernel limit (moonshot)"]
    assert describe(Target(19_682, at_least=True, why="2 × 9,841"), "1/s") == "≥ 19,682 1/s (2 × 9,841)"
    assert reached(COST, COST.targets[0]) == "0.50 (0.50–1.00)"
    assert reached(COST, COST.targets[3]) == "-"


def test_the_page_tells_what_was_measured() -> None:
    """Targets with what was reached, what was missed, ratios to peers, and the machine."""
    page = make_page(SAVED, [("Broadcast", "broadcast.svg")])
    assert "| cores | 2 |" in page
    assert (
        "| `broadcast` | server CPU per delivery | 4.00 (2.00–20.0) µs"
        " | ≤ 0.7 × Node ws | 0.50 (0.50–1.00) | met |" in page
    )
    assert "targets: 2 met, 1 missed, 1 not yet, 1 not measured" in page
    assert "- `broadcast`, server CPU per delivery: 2.00 (2.00–4.00), and not ≤ 1.25 × kernel limit" in page
    assert "| `broadcast` | server CPU per delivery | 0.50 | 2.00 |" in page
    assert "![Broadcast](performance/broadcast.svg)" in page
    assert "$" not in page


def test_the_same_figures_make_the_same_page(tmp_path: Path) -> None:
    """A page that nothing was measured for anew shows no change."""
    drawn = [draw(SAVED.results, tmp_path) for _ in range(2)]
    assert drawn == [[("Broadcast", "broadcast.svg")]] * 2
    first = (tmp_path / "broadcast.svg").read_bytes()
    draw(SAVED.results, tmp_path)
    assert (tmp_path / "broadcast.svg").read_bytes() == first
    assert "Node ws" in first.decode()


def test_growth_is_drawn_against_size(tmp_path: Path) -> None:
    """Sizes are read from the names of what is compared; what has none has bars."""
    growth = Measurement(
        "cost, 10,000 connections", "µs", {GATEWAY: [3.0], "10 connections": [2.0]}, [Target(1.3)]
    )
    assert sizes_of(growth) == {GATEWAY: 10_000, "10 connections": 10}
    assert sizes_of(COST) == {}
    assert draw([Result("growth", "Growth", [growth])], tmp_path) == [("Growth", "growth.svg")]
