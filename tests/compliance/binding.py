"""Where an echo server shall listen, from its command line."""

from __future__ import annotations

import argparse

from bamboo_gateway.config import Address


def parse_bind(description: str | None) -> tuple[str, int]:
    """Read `--bind HOST:PORT`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--bind", default="127.0.0.1:9001", metavar="HOST:PORT", help="where to listen")
    address = Address.parse(parser.parse_args().bind)
    assert isinstance(address, Address), "an echo server listens on TCP"
    return address.host, address.port
