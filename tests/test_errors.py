from __future__ import annotations

import pytest

from bamboo_gateway.errors import (
    ERROR_CODES,
    AgentError,
    ConfigError,
    ErrorCode,
    GatewayError,
    InvalidMessageError,
    explain,
    origin,
)


def test_every_code_has_one_meaning() -> None:
    """The table is complete, says nothing twice, and each meaning is a sentence."""
    assert list(ERROR_CODES) == list(ErrorCode)
    meanings = [row.meaning for row in ERROR_CODES.values()]
    assert len(set(meanings)) == len(meanings)
    assert all(meaning.endswith(".") for meaning in meanings)


def test_codes_are_their_own_names() -> None:
    """What stands on the wire is what stands in the source."""
    assert all(code.value == code.name for code in ErrorCode)
    assert f"{ErrorCode.GAP}" == "GAP"


def test_codes_of_the_original_gateway_are_kept() -> None:
    """Clients of the original gateway look for these."""
    assert {"INVALID_MESSAGE", "NOT_CONNECTED", "UNAUTHORIZED", "CAPACITY_EXCEEDED"} <= set(ErrorCode)


@pytest.mark.parametrize("code", ErrorCode)
def test_gateway_error_carries_its_row(code: ErrorCode) -> None:
    """A refusal knows its code, its text and whether it may pass later; printed, it shows both."""
    error = GatewayError(code, "what is wrong")
    assert (error.code, error.message) == (code, "what is wrong")
    assert error.retryable is ERROR_CODES[code].retryable
    assert str(error) == f"{code.name}: what is wrong"


def test_what_passes_later_is_marked() -> None:
    """Exactly the refusals that come from a passing state say that it is worth while to try again."""
    retryable = {code for code, row in ERROR_CODES.items() if row.retryable}
    assert retryable == {
        ErrorCode.CAPACITY_EXCEEDED,
        ErrorCode.QUEUE_FULL,
        ErrorCode.STORAGE_UNAVAILABLE,
        ErrorCode.RATE_LIMITED,
        ErrorCode.STOPPING,
        ErrorCode.IDENTITY_UNAVAILABLE,
    }


def test_wrong_values_are_value_errors() -> None:
    """Whoever embeds the gateway can catch them without knowing this package."""
    assert issubclass(ConfigError, ValueError)
    assert issubclass(InvalidMessageError, ValueError)


class TestExplain:
    def test_shows_what_an_agent_says_for_its_client(self) -> None:
        """The text of an `AgentError` is meant to be read, also when a nursery has wrapped it."""
        error = AgentError("the model is asleep")
        assert explain(error, "the agent") == "the model is asleep"
        group = ExceptionGroup("outer", [ExceptionGroup("inner", [error]), ValueError("later")])
        assert origin(group) is error
        assert explain(group, "the agent") == "the model is asleep"

    def test_hides_what_nobody_has_foreseen(self) -> None:
        """The text of any other error may hold a key or a path; only its kind is told."""
        error = ExceptionGroup("nursery", [ValueError("key sk-123 is wrong")])
        assert explain(error, "the tool") == "the tool failed with ValueError"

    def test_can_always_be_sent(self) -> None:
        """Half a character in a text would stop the frame that carries it."""
        assert explain(AgentError("half \ud800"), "the agent") == "half ?"
