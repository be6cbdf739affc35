"""What both echo servers share: their command line, and how much they take."""

from __future__ import annotations

import argparse

from bamboo_gateway.config import Address

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""More than any suite sends."""


def parse_bind(description: str | None) -> tuple[str, int]:
    """Read `--bind HOST:PORT`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--bind", default="127.0.0.1:9001", metavar="HOST:PORT", help="where to listen")
    address = Address.parse(parser.parse_args().bind)
    assert isinstance(address, Address), "an echo server listens on TCP"
    return address.host, address.port
