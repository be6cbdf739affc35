"""When an endpoint is asked again, and after how long."""

from __future__ import annotations

import datetime

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock

from bamboo_gateway.agents.openai_settings import OpenAISettings
from bamboo_gateway.agents.retry import TransientError, retry_after, retrying
from bamboo_gateway.errors import AgentError

NOW = datetime.datetime(2026, 11, 23, 6, 0, 0, tzinfo=datetime.UTC)


def settings(max_attempts: int = 3, max_retry_interval: float = 30.0) -> OpenAISettings:
    """Settings for the retries alone."""
    return OpenAISettings(
        model="m",
        base_url="http://127.0.0.1:8000/v1",
        max_attempts=max_attempts,
        retry_interval=1.0,
        max_retry_interval=max_retry_interval,
    )


class Ask:
    """Fails as often as it has errors, then answers; remembers when it was asked."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.times: list[float] = []

    async def __call__(self, question: str) -> str:
        """Fail or answer."""
        self.times.append(trio.current_time())
        if self.errors:
            raise self.errors.pop(0)
        return f"{question}!"

    @property
    def waits(self) -> list[float]:
        """Seconds between the attempts."""
        return [after - before for before, after in zip(self.times, self.times[1:], strict=False)]


async def test_it_asks_until_there_is_an_answer(autojump_clock: MockClock) -> None:
    """Each attempt gets the same arguments, and the first answer counts."""
    ask = Ask(TransientError("one"), TransientError("two"))
    answer: str = await retrying(settings())(ask, "question")
    assert answer == "question!"
    assert len(ask.times) == 3


async def test_waits_are_random_within_a_window_that_doubles(autojump_clock: MockClock) -> None:
    """Full jitter: from nothing up to 1, 2, 4… intervals, and never beyond the longest."""
    waits = []
    for _ in range(20):
        ask = Ask(*(TransientError("busy") for _ in range(5)))
        await retrying(settings(max_attempts=6, max_retry_interval=5.0))(ask, "question")
        waits.append(ask.waits)
    for limit, column in zip([1, 2, 4, 5, 5], zip(*waits, strict=True), strict=True):
        assert all(0 <= wait <= limit + 1e-6 for wait in column)
        assert len(set(column)) > 1


async def test_a_wish_for_patience_comes_on_top(autojump_clock: MockClock) -> None:
    """Nobody is back before the endpoint wants, nor all at the same moment."""
    ask = Ask(TransientError("busy", 7.0))
    await retrying(settings())(ask, "question")
    assert 7.0 <= ask.waits[0] <= 8.0 + 1e-6


@pytest.mark.parametrize(
    ("errors", "attempts"),
    [
        ([TransientError("1"), TransientError("2"), TransientError("last"), TransientError("4")], 3),
        ([TransientError("1"), AgentError("last"), TransientError("3")], 2),
        ([TransientError("last", retry_after=30.5)], 1),
        ([ValueError("last")], 1),
    ],
    ids=["too-often", "not-transient", "too-long", "foreign"],
)
async def test_it_gives_up(errors: list[Exception], attempts: int, autojump_clock: MockClock) -> None:
    """The error of the last attempt is raised as it is."""
    ask = Ask(*errors)
    with pytest.raises((AgentError, ValueError), match="last"):
        await retrying(settings())(ask, "question")
    assert len(ask.times) == attempts


async def test_cancellation_is_no_failure() -> None:
    """A cancelled attempt is not repeated: the cancellation passes through."""
    asked = 0

    async def ask() -> None:
        nonlocal asked
        asked += 1
        scope.cancel()
        await trio.sleep_forever()

    with trio.CancelScope() as scope:
        await retrying(settings())(ask)
    assert scope.cancelled_caught
    assert asked == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 0),
        ("0", 0),
        ("20", 20),
        ("1.5", 1.5),
        ("Mon, 23 Nov 2026 06:01:00 GMT", 60),
        ("Mon, 23 Nov 2026 05:00:00 GMT", 0),
        ("Mon, 23 Nov 2026 06:00:30 -0000", 30),
        ("-1", 0),
        ("inf", 0),
        ("soon", 0),
        ("٣", 0),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str | None, seconds: float) -> None:
    """Both forms of RFC 9110 count; anything else asks for nothing."""
    assert retry_after(text, NOW) == seconds


@given(text=st.text())
def test_any_retry_after_is_finite(text: str) -> None:
    """No header makes a wait endless or negative, or raises."""
    assert 0 <= retry_after(text, NOW) < float("inf")
