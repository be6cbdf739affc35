from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from bamboo_gateway.cli.rereading import RereadableCommand, read_again


def reading(write: str, file: Path, args: list[str]) -> list[dict[str, Any]]:
    """What a command with the options a and b is called with, and again after *write* stands in its file."""
    seen: list[dict[str, Any]] = []

    def load(ctx: click.Context, _: click.Parameter, path: str) -> None:
        ctx.default_map = {"b": Path(path).read_text()}

    @click.command(cls=RereadableCommand)
    @click.option("--file", is_eager=True, expose_value=False, callback=load)
    @click.option("-a")
    @click.option("-b", type=int)
    @click.pass_context
    def command(ctx: click.Context, /, **values: Any) -> None:
        seen.append(values)
        file.write_text(write)
        seen.append(read_again(ctx))

    command.main(["--file", str(file), *args], standalone_mode=False)
    return seen


def test_the_file_is_read_anew(tmp_path: Path) -> None:
    """What was typed is as it was; what stands in the file is as it is now."""
    file = tmp_path / "file"
    file.write_text("1")
    assert reading("2", file, ["-a", "x"]) == [{"a": "x", "b": 1}, {"a": "x", "b": 2}]
    assert reading("3", file, ["-b", "7"]) == [{"a": None, "b": 7}] * 2


def test_a_wrong_value_is_told_to_who_reads(tmp_path: Path) -> None:
    """As an exception: the command runs, and shall not end by it."""
    file = tmp_path / "file"
    file.write_text("1")
    with pytest.raises(click.UsageError, match="'many' is not a valid integer"):
        reading("many", file, [])
