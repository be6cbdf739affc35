from __future__ import annotations

import errno
import subprocess
import sys

import click
import pytest
import structlog
from click.testing import CliRunner, Result

from bamboo_gateway import __version__
from bamboo_gateway.cli import faults, main
from bamboo_gateway.cli.command_line import CommandLine
from tests.cli.process import ROOT


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
        "top",
        "status",
        "doctor",
        "config",
        "completion",
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


# ── what nobody has foreseen ─────────────────────────────────────────────────


def _invoke_raising(error: BaseException, *flags: str) -> Result:
    """Run a command that has a bug, as the others are run."""

    @click.command()
    def buggy() -> None:
        raise error

    class WithBug(CommandLine):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return buggy

    group = WithBug("bamboo-gateway", params=main.params, callback=main.callback)
    return CliRunner().invoke(group, [*flags, "buggy"])


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (KeyError("x"), "KeyError: 'x'"),
        (AssertionError(), "AssertionError"),
        (ExceptionGroup("", [ExceptionGroup("", [ValueError("a\n\x1b[2Jb")])]), "ValueError: a [2Jb"),
        (BaseExceptionGroup("", [ValueError("x" * 1000)]), f"ValueError: {'x' * 300}…"),
    ],
)
def test_a_bug_is_one_sentence_and_exit_code_70(error: BaseException, what: str) -> None:
    """What it was, that it is ours, and how to see more; no traceback, and nothing that moves the cursor."""
    result = _invoke_raising(error)
    assert (result.exit_code, result.stdout) == (70, "")
    assert result.stderr == (
        f"bamboo-gateway: {what}; this is a bug: run it again as `bamboo-gateway --debug …`, and report what "
        "that shows\n"
    )


@pytest.mark.parametrize("error", [KeyError("x\x1b"), click.ClickException("it is so"), OSError(28, "full")])
def test_debug_shows_the_traceback_of_any_error(error: Exception) -> None:
    """Also of what was foreseen: the line that tells of it comes last, all the same."""
    result = _invoke_raising(error, "--debug")
    first, *_, last = result.stderr.splitlines()
    assert first == "Traceback (most recent call last):"
    assert "in buggy" in result.stderr
    assert last.startswith("bamboo-gateway: ")
    assert "\x1b" not in result.stderr


def test_debug_has_nothing_to_say_of_an_exit() -> None:
    """Help, say, is no error."""
    assert _invoke_raising(click.exceptions.Exit(0), "--debug").stderr == ""
    result = _invoke_raising(click.Abort(), "--debug")
    assert (result.exit_code, result.stderr) == (130, "")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError(errno.EACCES, "Permission denied", "/x"), "Permission denied: /x"),
        (OSError("odd"), "odd"),
    ],
)
def test_what_the_system_refuses_is_no_bug(error: OSError, line: str) -> None:
    """Such as a full disk behind stdout: one line, exit code 1."""
    result = _invoke_raising(error)
    assert (result.exit_code, result.stderr) == (1, f"bamboo-gateway: {line}\n")


def test_a_bug_that_ends_a_gateway_is_in_its_log() -> None:
    """With its traceback: nobody can run the same again; what was foreseen is told, and not logged."""
    with structlog.testing.capture_logs() as lines, pytest.raises(KeyError), faults.logged():
        raise KeyError("x")
    [line] = lines
    assert (line["event"], line["log_level"]) == ("a bug has ended the gateway", "error")
    assert "KeyError: 'x'" in line["exception"]
    with structlog.testing.capture_logs() as lines, pytest.raises(click.ClickException), faults.logged():
        raise click.ClickException("the port is taken")
    assert lines == []


def test_nobody_pays_for_what_only_some_commands_need() -> None:
    """`--version` imports neither structlog nor rich; `serve` no rich, though structlog would; others may."""
    code = (
        "import sys, click; from bamboo_gateway.cli import main; "
        "early = {'rich', 'structlog'} & sys.modules.keys(); "
        "assert main.get_command(click.Context(main), 'serve'); "
        "assert 'structlog' in sys.modules; late = {'rich'} & sys.modules.keys(); "
        "import rich.console; "
        "sys.exit(bool(early | late))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0
