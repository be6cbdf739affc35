from __future__ import annotations

import pytest
from click.testing import CliRunner

from bamboo_gateway import __version__
from bamboo_gateway.cli import main


def test_version_is_the_packages() -> None:
    """`--version` prints one line."""
    result = CliRunner().invoke(main, ["--version"], prog_name="bamboo-gateway")
    assert (result.exit_code, result.stdout) == (0, f"bamboo-gateway {__version__}\n")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_the_commands(flag: str) -> None:
    """Each with what it does."""
    result = CliRunner().invoke(main, [flag])
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.partition("Commands:\n")[2].splitlines()] == [
        "serve",
        "chat",
        "call",
        "sessions",
        "token",
    ]


def test_no_arguments_are_answered_with_help() -> None:
    """It is no success: nothing was done."""
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["srve"], "No such command 'srve'."),
        (["serve", "--max-conections", "1"], "No such option '--max-conections'."),
        (["serve", "here"], "Got unexpected extra argument (here)"),
        (["serve", "--config", "/nowhere.toml"], "/nowhere.toml: No such file or directory"),
        (["serve", "--agent", "ecko"], "agent: 'ecko' is none of echo, openai, python:module:function"),
        (
            ["serve", "--bind", "0.0.0.0:0"],
            "bind: 0.0.0.0:0 can be reached from other machines, and no token",
        ),
        (["call"], "Missing argument 'NAME'."),
        (["call", ""], "Invalid value for 'NAME': a name has 1 to 256 characters"),
        (["call", "x", "{"], "Invalid value for '[JSON]': no JSON: "),
        (["chat", "--url"], "Option '--url' requires an argument."),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(args: list[str], says: str) -> None:
    """No usage, no traceback: what is wrong, on stderr."""
    result = CliRunner().invoke(main, args, env={"XDG_DATA_HOME": "/nowhere"})
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"bamboo-gateway: {says}"), result.stderr
    assert result.stderr.count("\n") == 1
