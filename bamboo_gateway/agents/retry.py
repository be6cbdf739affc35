"""When an endpoint is asked again, and after how long."""

from __future__ import annotations

import datetime
import email.utils
import re

import structlog
import tenacity
import trio

from ..errors import AgentError
from .openai_settings import OpenAISettings

log = structlog.get_logger(__name__)


class TransientError(AgentError):
    """
    An endpoint has not answered, and may do so later.

    Raised only before the first token: a client must not read a beginning twice.
    """

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds that the endpoint wants to be left alone."""


def retrying(settings: OpenAISettings) -> tenacity.AsyncRetrying:
    """
    Call it with an async function and its arguments: a `TransientError` has that function called again.

    Between two calls it waits as long as the endpoint asks, and then a random
    part of a window that doubles (full jitter), so that a thousand sessions which
    failed together do not come back together.
    """
    most = settings.max_retry_interval
    return tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(
            lambda error: isinstance(error, TransientError) and error.retry_after <= most
        ),
        stop=tenacity.stop_after_attempt(settings.max_attempts),
        wait=tenacity.wait_combine(
            tenacity.wait_random_exponential(multiplier=settings.retry_interval, max=most), _asked_wait
        ),
        before_sleep=_log,
        sleep=trio.sleep,
        reraise=True,
    )


def retry_after(text: str | None, now: datetime.datetime) -> float:
    """
    Seconds that the header `Retry-After` asks for: a number, or the date until which to wait.

    Anything else counts as 0.
    """
    if text is None:
        return 0.0
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (until.replace(tzinfo=until.tzinfo or datetime.UTC) - now).total_seconds())


def _asked_wait(retry_state: tenacity.RetryCallState) -> float:
    error = retry_state.outcome.exception() if retry_state.outcome else None
    return error.retry_after if isinstance(error, TransientError) else 0.0


def _log(state: tenacity.RetryCallState) -> None:
    # Not the error's text: an endpoint may quote the chat in it.
    log.info(
        "asking the model endpoint again", attempt=state.attempt_number, wait=round(state.upcoming_sleep, 3)
    )
