from __future__ import annotations

import pytest
from hypothesis import example, given, strategies as st

from bamboo_gateway.cli.session_choice import Choice, Choices, explain, read_choices, read_last_words
from bamboo_gateway.client import RefusedError, connect
from tests.client.served import served

NOW = 10_000_000_000


def choice(session_id: str = "0123456789", name: str | None = None, **fields: object) -> Choice:
    """A session."""
    values: dict[str, object] = {"user_id": "ann", "last_activity": NOW - 120_000, "state": "idle"} | fields
    return Choice(session_id, name, **values)  # type: ignore[arg-type]  # the fields of a test


@pytest.mark.parametrize(
    ("of", "row"),
    [
        (choice(), "2 min ago   01234567"),
        (choice(name="plans", last_words="what\nthen?"), "2 min ago   plans                 what then?"),
        (choice(name="p" * 30, last_words="w" * 30), f"2 min ago   {'p' * 19}…  {'w' * 15}…"),
        (choice(state="running", last_words="x"), "2 min ago   01234567              (answers) x"),
        (choice(name="\x1b[2Jx"), "2 min ago   [2Jx"),
    ],
)
def test_a_session_is_a_line(of: Choice, row: str) -> None:
    """When it was used, its name or how its id begins, and what was asked last."""
    assert of.row(50, NOW) == row


@pytest.mark.parametrize("wanted", ["", "plans", "PLANS what", "3456", "ann", "  then "])
def test_a_session_is_found_by_any_part(wanted: str) -> None:
    """Several words may be in several places."""
    assert choice(name="Plans", last_words="what then").matches(wanted)
    assert not choice(name="Plans").matches(f"{wanted} bob")


@given(
    names=st.lists(st.text(alphabet="abc", min_size=1, max_size=3), max_size=8),
    deeds=st.lists(st.integers(-3, 3) | st.text(alphabet="abc", max_size=2), max_size=8),
    rows=st.integers(1, 5),
)
@example(names=["a", "aa"], deeds=["a", 1], rows=1)
def test_what_is_chosen_is_always_on_the_screen(names: list[str], deeds: list[int | str], rows: int) -> None:
    """However one moves and types; and all that matches can be reached."""
    choices = Choices([choice("0", name) for name in names])
    for deed in deeds:
        if isinstance(deed, str):
            choices.type(deed)
        else:
            choices.move(deed)
        shown, first = choices.window(rows)
        chosen = choices.chosen
        assert len(shown) <= rows
        assert list(shown) == list(choices.shown)[first : first + rows]
        assert (chosen in shown) if choices.shown else chosen is None
    choices.type("a")
    choices.move(-len(names))  # who types what stands there already stays where they are
    reached = []
    for _ in choices.shown:
        reached.append(choices.chosen)
        choices.move(1)
    assert reached == list(choices.shown)


async def test_sessions_are_read_with_what_was_asked_last() -> None:
    """The last used comes first; that of whoever asks is none of them."""
    async with served() as (_, url):
        ids = []
        for word in ("one", "two"):
            async with connect(url) as client:
                await client.chat(f"{word} first")
                await client.chat(f"{word} then")
                ids.append(client.session_id)
        async with connect(url, temporary=True) as client:
            choices = await read_choices(client)
            assert [each.session_id for each in choices] == ids[::-1]
            await read_last_words(client, [*choices, choice("nil")])
            assert [each.last_words for each in choices] == ["two then", "one then"]


def test_a_refusal_says_what_can_be_done() -> None:
    """Where a right is missing; any other is told as it is."""
    refused = RefusedError("FORBIDDEN", "it takes the scope sessions:read")
    assert str(explain(refused)) == (
        "FORBIDDEN: it takes the scope sessions:read; --session ID comes back to a session whose id you know"
    )
    other = RefusedError("STOPPING", "later")
    assert explain(other) is other
