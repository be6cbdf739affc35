"""What a principal may do with a session: all if it is theirs, some if it is shared with them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from ..principal import Principal


class Access(enum.IntEnum):
    """How much; each includes those before it."""

    READ = 1
    """To watch it, and to look at it and at its conversation."""
    CHAT = 2
    """To speak in it: to its agent and to its channels; and to abort turns."""
    OWN = 3
    """To change what it is called, to share it and to end it."""


SharedAccess: TypeAlias = Literal["read", "chat"]
"""What may be granted to others."""

SHARED: Mapping[SharedAccess, Access] = {"read": Access.READ, "chat": Access.CHAT}
"""As it is written → what it grants."""

assert tuple(SHARED) == get_args(SharedAccess)

MAX_SHARES = 64
"""
Of one session: a team. The owner is shown all of them with it: as much, with the longest ids, as its metadata
may be (16 KiB).
"""


def access_of(principal: Principal, owner: str, shares: Mapping[str, SharedAccess]) -> Access | None:
    """What *principal* may do with a session of *owner*'s; None: to them its id is unknown."""
    if principal.owns(owner):
        return Access.OWN
    shared = shares.get(principal.user_id)
    return None if shared is None else SHARED[shared]
