"""What a model is sent of a conversation."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, strategies as st

from bamboo_gateway.agents.openai_settings import OpenAISettings
from bamboo_gateway.agents.prompt import compose
from bamboo_gateway.session.history import HistoryMessage


def settings(
    messages: int = 100, characters: int = 100_000, system_prompt: str | None = None
) -> OpenAISettings:
    """Settings with these bounds."""
    return OpenAISettings(
        model="m",
        base_url="http://127.0.0.1:8000/v1",
        system_prompt=system_prompt,
        history_max_messages=messages,
        history_max_characters=characters,
    )


def user(content: str) -> HistoryMessage:
    """Something that the user said."""
    return HistoryMessage("user", content, "run", 0)


def assistant(content: str) -> HistoryMessage:
    """Something that the agent said."""
    return HistoryMessage("assistant", content, "run", 0)


def test_a_first_chat_stands_alone() -> None:
    """Without system prompt and history there is one message."""
    assert compose(settings(), [], "hello") == [{"role": "user", "content": "hello"}]


def test_a_failed_turn_leaves_one_question() -> None:
    """An answer that never came is left out, and the two questions become one message."""
    prompt = compose(settings(system_prompt="Be brief."), [user("one"), assistant("")], "two")
    assert prompt == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "one\n\ntwo"}]


def test_the_oldest_messages_go_first() -> None:
    """Beyond the bounds, what was said last counts; an answer without its question goes, too."""
    history = [user("a"), assistant("b"), user("c"), assistant("d")]
    said = ["c", "d", "now"]
    assert [message["content"] for message in compose(settings(messages=2), history, "now")] == said
    assert [message["content"] for message in compose(settings(messages=3), history, "now")] == said
    assert [message["content"] for message in compose(settings(characters=2), history, "now")] == said
    assert [message["content"] for message in compose(settings(characters=1), history, "now")] == ["now"]
    assert [message["content"] for message in compose(settings(messages=0), history, "now")] == ["now"]


histories = st.lists(
    st.builds(lambda said, content: said(content), st.sampled_from([user, assistant]), st.text())
)


@given(history=histories, messages=st.integers(0, 9), characters=st.integers(0, 40))
def test_roles_take_turns_within_bounds(
    history: list[HistoryMessage], messages: int, characters: int
) -> None:
    """Whatever came before, the model reads user and assistant in turn, up to the chat, and not too much."""
    prompt = compose(settings(messages, characters), history, "now")
    roles = [message["role"] for message in prompt]
    assert roles[0] == roles[-1] == "user"
    assert all(left != right for left, right in pairwise(roles))
    assert all(message["content"] for message in prompt)
    assert prompt[-1]["content"].endswith("now")
    separators = 2 * messages
    assert sum(len(message["content"]) for message in prompt) <= characters + len("now") + separators
