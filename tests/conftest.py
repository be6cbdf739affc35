"""Hypothesis profiles, chosen by the environment variable HYPOTHESIS_PROFILE; and logging as before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.soak_progress import SoakProgress

# Examples that wait on an event loop have no meaningful deadline of their own.
# pytest-trio sets its async fixtures up afresh for every example, which is what the health check cannot know.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# The same examples on every run: a change is judged by what it changed.
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, print_blob=True)
# For a second Python, to which the first has shown already that the laws hold.
settings.register_profile("brief", settings.get_profile("ci"), max_examples=20)
settings.register_profile("nightly", settings.get_profile("dev"), max_examples=5_000, print_blob=True)

settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.hookimpl(trylast=True)  # the writer comes with pytest's own reporter
def pytest_configure(config: pytest.Config) -> None:
    """Show how far a long run is, to whoever waits for it at a terminal."""
    if os.environ.get("BAMBOO_SOAK") and config.get_terminal_writer().hasmarkup:
        with suppress(OSError):  # there is no terminal after all
            config.pluginmanager.register(SoakProgress(config, Path("/dev/tty").open("w")))  # noqa: SIM115 -- for as long as pytest runs


@pytest.fixture(autouse=True)
def _logging_as_it_comes() -> Iterator[None]:
    """Logging is set up once for a process, and a test that does so must not be heard of in the next."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Have a line printed at the end of the run: how much a test of random things has really done."""

    def add(line: str) -> None:
        record_property(_REPORT, line)

    return add


_REPORT = "report"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have reported, those that failed first of all: a seed is of use then."""
    reports = [each for outcome in ("failed", "passed") for each in terminalreporter.stats.get(outcome, [])]
    lines = [line for each in reports for name, line in each.user_properties if name == _REPORT]
    if lines:
        terminalreporter.section("what was tried")
    for line in lines:
        terminalreporter.write_line(line)
