from __future__ import annotations

import re
from pathlib import Path

import click

from bamboo_gateway.cli import config_file, main
from docs.cli_reference import render

PAGE = render()


def test_every_option_of_every_command_is_there() -> None:
    """With its variable, so that nothing has to be guessed."""
    context = main.make_context("bamboo-gateway", [], resilient_parsing=True)
    top = [(name, main.get_command(context, name)) for name in main.list_commands(context)]
    parts = [
        (f"{name} {part}", command)
        for name, group in top
        if isinstance(group, click.Group)
        for part, command in group.commands.items()
    ]
    assert parts
    for name, command in [*top, *parts]:
        assert command is not None
        section = re.split(rf"^##+ {name}$", PAGE, flags=re.MULTILINE)[1].partition("\n##")[0]
        for option in command.params:
            if isinstance(option, click.Option):
                variable = f"`{option.envvar}`" if option.envvar else ""
                assert re.search(rf"^\| `{option.opts[0]}\b.*\| {variable} \|", section, re.MULTILINE)


def test_the_example_of_a_file_is_one(tmp_path: Path) -> None:
    """What is shown can be copied."""
    [example] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "bamboo.toml"
    path.write_text(example)
    assert len(config_file.read(path)) == example.count(" = ")


def test_no_part_of_click_shows_through() -> None:
    """A default that is none is left out."""
    assert "UNSET" not in PAGE
    assert "None" not in PAGE
