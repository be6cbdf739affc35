from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from bamboo_gateway.errors import InvalidMessageError
from bamboo_gateway.protocol import strict_json
from bamboo_gateway.protocol.messages import Json
from bamboo_gateway.protocol.strict_json import MAX_EVENT_NESTING, MAX_NESTING
from tests.strategies import json_values

depths = st.integers(0, 40)


def nested(levels: int, innermost: Json) -> Json:
    """*innermost* inside so many arrays and objects, in turn."""
    value = innermost
    for level in range(levels):
        value = [value] if level % 2 else {"k": value}
    return value


def nested_text(levels: int, innermost: str) -> str:
    """The same for a JSON text that no value could be dumped to."""
    return json.dumps(nested(levels, "@")).replace('"@"', innermost)


def same(left: Json, right: Json) -> bool:
    """Equal, and of equal types: to Python 1, 1.0 and True are one."""
    return repr(left) == repr(right)


class TestParse:
    @given(json_values)
    def test_reads_what_dump_writes(self, value: Json) -> None:
        """Every JSON value survives the way out and in, with its types."""
        assert same(strict_json.parse(strict_json.dump(value).decode()), value)

    @given(json_values)
    def test_reads_escapes_and_spaces(self, value: Json) -> None:
        """It does not matter how a writer spells the same JSON."""
        assert same(strict_json.parse(json.dumps(value, ensure_ascii=True, indent=1)), value)

    @given(st.text() | st.text('[]{}",:\\u0189aftrn. -+eE'))
    def test_takes_or_refuses_any_text(self, text: str) -> None:
        """Whatever the text, there is a value that the standard library reads too, or one kind of error."""
        try:
            value = strict_json.parse(text)
        except InvalidMessageError:
            return
        assert same(json.loads(text), value)

    @given(depths, st.sampled_from(["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 400 + ".0"]))
    def test_refuses_numbers_that_are_none(self, depth: int, number: str) -> None:
        """NaN, infinity, and what would become infinity, are refused at any depth."""
        with pytest.raises(InvalidMessageError, match=r"no number|out of range"):
            strict_json.parse(nested_text(depth, number))

    @given(depths, st.integers())
    @example(0, 2**63 - 1)
    @example(0, 2**63)
    @example(0, -(2**63))
    @example(0, -(2**63) - 1)
    def test_takes_integers_of_64_bits(self, depth: int, number: int) -> None:
        """Other readers would make a fraction or infinity of a larger one."""
        text = nested_text(depth, str(number))
        if -(2**63) <= number < 2**63:
            assert same(strict_json.parse(text), nested(depth, number))
        else:
            with pytest.raises(InvalidMessageError, match="beyond 64 bits"):
                strict_json.parse(text)

    def test_refuses_an_integer_of_a_million_digits(self) -> None:
        """It is refused by its length: to read it would take minutes."""
        with pytest.raises(InvalidMessageError, match="beyond 64 bits"):
            strict_json.parse("9" * 1_000_000)

    @given(depths, st.text(), json_values, json_values)
    def test_refuses_a_key_twice(self, depth: int, key: str, first: Json, second: Json) -> None:
        """Readers differ in which of two equal keys counts, however it is spelt and wherever it stands."""
        one, other = json.dumps(key), '"' + "".join(rf"\u{unit:04x}" for unit in utf16(key)) + '"'
        twice = f'{{{one}:{json.dumps(first)},"between {one[1:-1]}":0,{other}:{json.dumps(second)}}}'
        with pytest.raises(InvalidMessageError, match="key twice"):
            strict_json.parse(nested_text(depth, twice))

    def test_finds_a_key_twice_among_many(self) -> None:
        """The search does not take the square of the number of keys: here that would be an hour."""
        keys = [f'"{number}":0' for number in range(200_000)]
        with pytest.raises(InvalidMessageError, match="key twice in one object: '199999'"):
            strict_json.parse("{" + ",".join([*keys, keys[-1]]) + "}")

    @given(depths, st.integers(0xD800, 0xDFFF), st.text(), st.booleans())
    def test_refuses_lone_surrogates(self, depth: int, unit: int, before: str, as_key: bool) -> None:
        """Half a character, escaped into a key or a value, cannot be sent on as UTF-8."""
        string = json.dumps(before)[:-1] + rf"\u{unit:04x}" + '"'
        text = nested_text(depth, f"{{{string}:0}}" if as_key else string)
        with pytest.raises(InvalidMessageError, match="lone surrogate"):
            strict_json.parse(text)

    def test_takes_a_pair_of_surrogates(self) -> None:
        """Two halves that belong together are one character."""
        assert strict_json.parse(r'"\ud83d\ude00 and \\ud800"') == r"😀 and \ud800"

    @given(st.sampled_from(["[]", "{}", "0", '"{[{["']))
    def test_takes_64_levels(self, innermost: str) -> None:
        """Exactly `MAX_NESTING` arrays and objects may stand in each other; brackets in strings are none."""
        levels = MAX_NESTING - (innermost in {"[]", "{}"})
        text = nested_text(levels, innermost)
        assert same(strict_json.parse(text), json.loads(text))
        with pytest.raises(InvalidMessageError, match="deeper than 64"):
            strict_json.parse(nested_text(levels + 1, innermost))

    def test_takes_much_beside_each_other(self) -> None:
        """Many arrays and objects are not deep ones."""
        value = [{"k": [index]} for index in range(1000)]
        assert strict_json.parse(json.dumps(value)) == value

    @pytest.mark.parametrize("levels", [1_000, 100_000])
    def test_survives_any_depth(self, levels: int) -> None:
        """Nesting that overflows the parser itself is refused like any other."""
        with pytest.raises(InvalidMessageError, match="deeper than 64"):
            strict_json.parse("[" * levels + "]" * levels)

    @pytest.mark.parametrize("text", ["", " ", "\ufeff{}", "{}{}", "01", "[1,]", "{'a':1}", "nul", '"\t"'])
    def test_refuses_what_is_no_json(self, text: str) -> None:
        """The error says where the text stops being JSON; a byte order mark is not JSON either."""
        with pytest.raises(InvalidMessageError, match=r"no JSON: .* at character"):
            strict_json.parse(text)


def utf16(text: str) -> list[int]:
    """The 16-bit units by which JSON escapes *text*."""
    units = text.encode("utf-16-be")
    return [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]


class TestDump:
    @given(json_values)
    def test_writes_compact_utf_8(self, value: Json) -> None:
        """The text is plain UTF-8 without spaces, the shortest that the standard library knows."""
        assert (
            strict_json.dump(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        )

    @pytest.mark.parametrize(
        "foreign",
        [float("nan"), float("inf"), "\ud800", {"\udfff": 0}, b"bytes", {1, 2}, object(), 1j, {(): 0}],
        ids=["nan", "inf", "surrogate", "surrogate-key", "bytes", "set", "object", "complex", "tuple-key"],
    )
    @pytest.mark.parametrize("depth", [0, 5])
    def test_refuses_what_is_no_json(self, foreign: object, depth: int) -> None:
        """What JSON cannot say is one clear error, not a text that no client can read."""
        with pytest.raises(InvalidMessageError):
            strict_json.dump(nested(depth, foreign))

    def test_refuses_a_cycle(self) -> None:
        """A value that holds itself has no end."""
        cycle: list[Any] = []
        cycle.append({"again": cycle})
        with pytest.raises(InvalidMessageError, match="recursion"):
            strict_json.dump(cycle)

    def test_keeps_to_a_depth_that_others_read(self) -> None:
        """One level less than `MAX_EVENT_NESTING`, which the serde dialect needs for itself."""
        deepest = nested(MAX_EVENT_NESTING - 1, 0)
        assert strict_json.parse(strict_json.dump(deepest).decode(), MAX_EVENT_NESTING) == deepest
        with pytest.raises(InvalidMessageError, match="deeper than 127"):
            strict_json.dump([deepest])
