from __future__ import annotations

from bamboo_gateway.histogram import HistogramSnapshot
from bamboo_gateway.journal import JournalHistograms
from bamboo_gateway.statistics import named_histograms


def snapshot(*counts: int) -> HistogramSnapshot:
    """One that has so many observations, of a second each."""
    return HistogramSnapshot((1.0,), counts, float(sum(counts)))


def test_histograms_have_names() -> None:
    """Those of time; turns are counted together, however they ended."""
    journal = JournalHistograms(snapshot(9, 9), commit_time=snapshot(1, 2), delivery_lag=snapshot(3, 4))
    turns = {"completed": snapshot(1, 1), "failed": snapshot(0, 2), "aborted": snapshot(0, 0)}
    assert named_histograms(journal, turns, loop_lag=snapshot(5, 6)) == {  # type: ignore[arg-type] # all outcomes
        "delivery_lag": snapshot(3, 4),
        "commit_time": snapshot(1, 2),
        "loop_lag": snapshot(5, 6),
        "turn_duration": snapshot(1, 3),
    }
