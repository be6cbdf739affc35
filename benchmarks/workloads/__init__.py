"""The table of workloads."""

from __future__ import annotations

from . import broadcast, ping
from .workload import Workload

WORKLOADS: dict[str, Workload] = {
    "broadcast": broadcast.WORKLOAD,
    "ping": ping.WORKLOAD,
}
