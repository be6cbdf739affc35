"""Whether a stream is to be written in colours."""

from __future__ import annotations

import os
from typing import TextIO


def are_wanted(stream: TextIO) -> bool:
    """Is it a terminal, and has nobody asked for none (no-color.org)?"""
    return stream.isatty() and not os.environ.get("NO_COLOR")
