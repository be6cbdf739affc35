"""Findings as a person reads them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from .. import figures
from ..plain_text import one_line
from .finding import Finding, Verdict

MARKS: dict[Verdict, str] = {"well": "✓", "warning": "!", "fault": "✗"}

_ABOUT = 13

_INDENT = " " * (_ABOUT + 4)


def lines(finding: Finding, columns: int) -> Iterator[str]:
    """A mark, what it is about, what was found; and beneath it how to mend that."""
    first = f"{MARKS[finding.verdict]} {finding.about:<{_ABOUT}}  "
    yield from _wrapped(one_line(finding.text), first, columns)
    if finding.remedy is not None:
        yield from _wrapped(one_line(finding.remedy), f"{_INDENT}→ ", columns)


def _wrapped(text: str, first: str, columns: int) -> Sequence[str]:
    # Paths and commands are there to be copied: they are not broken.
    return textwrap.wrap(
        text,
        max(columns, len(first) + 20),
        initial_indent=first,
        subsequent_indent=_INDENT + ("  " if first.startswith(_INDENT) else ""),
        break_long_words=False,
        break_on_hyphens=False,
    )


def summary(findings: Sequence[Finding]) -> str:
    """How it is, all in all."""
    counts = {verdict: sum(each.verdict == verdict for each in findings) for verdict in MARKS}
    kinds: tuple[Verdict, ...] = ("fault", "warning")
    found = " and ".join(figures.counted(counts[kind], kind) for kind in kinds if counts[kind])
    return f"{found}." if found else "All is well."
