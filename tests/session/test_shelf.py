"""All logs together: weighed as they grow and shrink, and cut where they are too much."""

from __future__ import annotations

from hypothesis import given, strategies as st

from bamboo_gateway.protocol.messages import AgentToken
from bamboo_gateway.session.log import Log, LogLimits
from bamboo_gateway.session.shelf import LogShelf


def new_log(name: str, *texts: str) -> Log:
    """A log that holds *texts*, committed."""
    log = Log(name, "epoch", LogLimits(50, 100_000))
    for text in texts:
        log.append(AgentToken(name, text), ts=1)
    log.show(log.last_seq)
    return log


steps = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400), st.booleans()), max_size=40)
"""Which log grows, by how much, and is it committed then?"""


@given(steps=steps, max_bytes=st.integers(100, 3_000))
def test_all_logs_together_keep_the_bound(steps: list[tuple[int, int, bool]], max_bytes: int) -> None:
    """Except for the newest of each and what is not committed; and whoever was cut is named."""
    shelf, logs = LogShelf(max_bytes), [new_log(f"s{each}") for each in range(4)]
    for log in logs:
        shelf.add(log)
    for which, size, is_committed in steps:
        log = logs[which]
        before = {each: each.first_seq for each in logs}
        log.append(AgentToken(log.name, "x" * size), ts=1)
        changed = shelf.settle(log)
        assert set(changed) >= {log} | {each for each in logs if each.first_seq > before[each]}
        assert all(each.first_seq <= each.visible_seq + 1 for each in logs), "what is not visible stays"
        droppable = sum(
            len(entry.body) for each in logs for entry in list(each)[:-1] if entry.seq <= each.visible_seq
        )
        assert shelf.size_bytes <= max_bytes or droppable == 0
        if is_committed:
            log.show(log.last_seq)
        shelf.validate_state(logs)
    assert len(shelf) == 4


def test_who_has_been_silent_for_longest_is_cut_first() -> None:
    """He is the least likely to be asked for what he said; who speaks loses nothing before."""
    shelf = LogShelf(800)
    silent, spoke = new_log("silent", *["x" * 100] * 3), new_log("spoke", *["x" * 100] * 2)
    for log in (silent, spoke):
        shelf.add(log)
    spoke.append(AgentToken("spoke", "x" * 100), ts=1)
    assert shelf.settle(spoke) == [spoke, silent]
    assert (spoke.first_seq, len(spoke)) == (1, 3)
    assert 1 <= len(silent) < 3
    assert shelf.size_bytes <= 800


def test_it_makes_a_little_more_room_than_it_must() -> None:
    """So that not every event of a full gateway has to look for what to cut."""
    shelf, log = LogShelf(2_000), new_log("s")
    shelf.add(log)
    cuts = 0
    for _ in range(200):
        first = log.first_seq
        log.append(AgentToken("s", "a"), ts=1)
        shelf.settle(log)
        log.show(log.last_seq)
        cuts += log.first_seq > first
    assert 0 < cuts < 100


def test_a_log_that_leaves_weighs_nothing() -> None:
    """What has gone from the memory is no longer counted."""
    shelf, log, other = LogShelf(10_000), new_log("s", "a"), new_log("t", "b")
    shelf.add(log)
    shelf.add(other)
    shelf.remove(log)
    assert (list(shelf), shelf.size_bytes) == ([other], other.size_bytes)


def test_logs_that_shrink_by_themselves_are_weighed_again() -> None:
    """Age takes from them without asking."""
    shelf = LogShelf(10_000)
    log = Log("s", "epoch", LogLimits(9, 9_999, max_age=1))
    shelf.add(log)
    log.append(AgentToken("s", "a"), ts=1)
    shelf.settle(log)
    log.show(1)
    log.expire(10_000)
    shelf.reweigh()
    assert shelf.size_bytes == 0
    shelf.validate_state([log])
