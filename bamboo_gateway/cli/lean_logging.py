"""structlog without what it would bring along."""

from __future__ import annotations

import sys

_LIBRARY = "rich"


def import_structlog() -> None:
    """
    Import structlog, and not rich with it.

    Where rich is installed, structlog imports it for tracebacks that show the
    values of variables, which are not ours: 45 ms and 4 MB of every `serve`
    (measured). A name that stands for None in `sys.modules` is one that cannot be
    imported, to Python.
    """
    if _LIBRARY in sys.modules or "structlog" in sys.modules:
        return
    sys.modules[_LIBRARY] = None  # type: ignore[assignment] # typeshed does not know it
    try:
        import structlog  # noqa: F401, PLC0415 -- that is what this is for
    finally:
        del sys.modules[_LIBRARY]
