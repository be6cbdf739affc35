"""Where it was measured, and with which versions."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from .peers import PEERS, has_node

_WS = Path(__file__).parent.parent / "tests/integration/node/node_modules/ws/package.json"


def describe_machine() -> Mapping[str, str]:
    """What a reader needs to judge the figures: name → value."""
    return {
        "day": time.strftime("%Y-%m-%d"),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
        "bamboo-gateway": importlib.metadata.version("bamboo-gateway"),
        **_versions(),
    }


def _processor() -> str:
    """Its name, where the system tells it."""
    names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return names[0] if names else platform.processor()


def _versions() -> Mapping[str, str]:
    packages = {package for peer in PEERS.values() for package in peer.packages}
    found = {name: importlib.metadata.version(name) for name in sorted(packages - {"ws"})}
    if has_node():
        found["ws"] = json.loads(_WS.read_text())["version"]
        found["Node"] = subprocess.run(
            ["node", "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
    return found
