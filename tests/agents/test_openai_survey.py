from __future__ import annotations

import pytest

from bamboo_gateway.agents.openai_settings import OpenAISettings
from bamboo_gateway.agents.openai_survey import MAX_BYTES, OpenAISurvey, survey
from bamboo_gateway.errors import AgentError
from tests.agents.endpoint import endpoint, forever, hang, raw, status

KEY = "a-key-that-nobody-knows"

DATE = "Fri, 15 Jan 2027 08:00:00 GMT"


def settings(url: str, key: str | None = KEY) -> OpenAISettings:
    """Those of an endpoint there."""
    return OpenAISettings(model="m", base_url=url, api_key=key)


async def test_the_models_are_asked_for_with_the_key() -> None:
    """No question, and no token used."""
    models = {"object": "list", "data": [{"id": "m"}, {"id": "n"}]}
    async with endpoint(status(200, models, date=DATE)) as script:
        found = await survey(settings(f"{script.url}/"), 5.0)
    assert found == OpenAISurvey(status=200, models=["m", "n"], date=1_800_000_000.0)
    [asked] = script.asked
    assert (asked.target, asked.headers["authorization"]) == ("/v1/models", f"Bearer {KEY}")


async def test_an_endpoint_of_ones_own_may_do_without_a_key() -> None:
    """Then none is sent."""
    async with endpoint(status(200, {"data": []})) as script:
        assert (await survey(settings(script.url, None), 5.0)).models == []
    assert "authorization" not in script.asked[0].headers


@pytest.mark.parametrize("code", [401, 403])
async def test_a_key_may_be_refused(code: int) -> None:
    """That is what one wants to know."""
    async with endpoint(status(code, {"error": {"message": "no"}}, date="soon")) as script:
        assert await survey(settings(script.url), 5.0) == OpenAISurvey(status=code, is_key_refused=True)


@pytest.mark.parametrize("body", ["no JSON", "[]", '{"data": 1}', '{"data": [1]}', '{"data": [{}]}'])
async def test_an_endpoint_that_lists_no_models_is_one_all_the_same(body: str) -> None:
    """Whatever it says in their place."""
    async with endpoint(status(200, body)) as script:
        found = await survey(settings(script.url), 5.0)
    assert (found.status, found.models) == (200, None)


async def test_it_may_not_be_there_or_say_nothing() -> None:
    """In time, and without the key."""
    async with endpoint(hang()) as script:
        with pytest.raises(AgentError, match=r"gave no answer within 0\.2 seconds") as error:
            await survey(settings(script.url), 0.2)
    assert KEY not in str(error.value)
    async with endpoint(raw(b"no HTTP")) as script:
        with pytest.raises(AgentError, match="cannot be reached: ") as error:
            await survey(settings(script.url), 30.0)
    assert KEY not in str(error.value)
    with pytest.raises(AgentError, match="cannot be reached: "):
        await survey(settings("http://127.0.0.1:1/v1"), 5.0)


async def test_an_answer_without_end_is_bounded() -> None:
    """In time, and in memory."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    async with endpoint(forever(head, b" " * (MAX_BYTES // 16))) as script:
        with pytest.raises(AgentError, match="gave no answer within"):
            await survey(settings(script.url), 0.5)
