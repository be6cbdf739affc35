"""Tokens: `bamboo_ID_SECRET`, made here, and known afterwards by their digests alone."""

from __future__ import annotations

import hashlib
import re
import secrets

import attrs

_SECRET_BYTES = 32
"""256 bits: nobody guesses one, at whatever rate."""

_TOKEN = re.compile(r"bamboo_(?P<id>[A-Za-z0-9-]{1,64})_[A-Za-z0-9_-]{20,}")
"""All characters may stand in a header and a subprotocol; by the prefix, scanners of secrets find it."""


@attrs.frozen
class Token:
    """A token that was just made: the only time that anybody knows its secret."""

    id: str
    """Its public name, for lists and logs."""
    text: str = attrs.field(repr=False)
    """What a client shows."""

    @property
    def digest(self) -> str:
        """What is stored of it."""
        return digest_of(self.text)


def make_token(token_id: str | None = None) -> Token:
    """Make a token with a fresh secret; a fresh id, too, unless it takes the place of another."""
    token_id = token_id or secrets.token_hex(4)
    return Token(token_id, f"bamboo_{token_id}_{secrets.token_urlsafe(_SECRET_BYTES)}")


def find_id(text: str) -> str | None:
    """The id in what should be a token; None: it is none."""
    match = _TOKEN.fullmatch(text)
    return match["id"] if match else None


def digest_of(text: str) -> str:
    """
    What is stored of a token.

    No password hash: those are slow, to make guessing costly where people
    choose the secret. This one is 256 random bits, which nobody guesses at any
    speed; and a slow hash would let strangers spend our time.
    """
    # A token from an environment may hold what is no character; that is wrong, but no reason to fail.
    return "sha256:" + hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
