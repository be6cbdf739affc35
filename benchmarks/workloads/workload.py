"""What the benchmarks make a server do."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from ..crowd import Crowd


@attrs.frozen
class Workload:
    """One kind of work."""

    title: str
    unit: str
    """What is done once for each client and each repeat."""
    run: Callable[[Crowd, int], None]
    """Have the server do it so many times; return when all of it has arrived."""
