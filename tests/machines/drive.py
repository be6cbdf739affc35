"""Async functions that never wait, called from where nothing is async."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


def drive(coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run *coroutine*, which waits for nothing, to its end."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: ResultT = end.value
        return result
    coroutine.close()
    raise AssertionError("it waits for something")
