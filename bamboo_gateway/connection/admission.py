"""Sockets whose client has yet to say who it is: how many there may be, in all and from one address."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from http import HTTPStatus

import attrs
import trio

from ..http.messages import RefusedError, refusal, retry_after
from ..refusals import HandshakeFailure

RETRY_AFTER = 1.0
"""Seconds after which a place may be free again: clients need a fraction of one to say who they are."""


class Stage(enum.Enum):
    """How far such a socket is."""

    NEW = "has asked for nothing yet"
    ASKING = "waits for an answer"
    READING = "takes an answer in"
    KEPT = "was answered, and is kept open in case"


@attrs.define(eq=False)
class Entrant:
    """One such socket."""

    address: str
    """Whence, as the limit counts: a network, `unix`, or nothing, for a stream that has no address."""
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    """Of what it does until it has asked for a WebSocket; its deadline is that for saying who it is."""
    stage: Stage = Stage.NEW
    has_given_way: bool = False

    @property
    def is_mute(self) -> bool:
        """Is it not the gateway that it waits for? Then it may be made to give way."""
        return self.stage is not Stage.ASKING


class Admission:
    """
    Counts them.

    Invariant: a place is taken, and given back, in one step; nobody waits for one.
    """

    def __init__(self) -> None:
        self._entrants: dict[Entrant, None] = {}
        """Oldest first."""
        self._per_address: dict[str, dict[Entrant, None]] = {}
        """The same by their addresses."""
        self._accepted = 0
        self._refused: Counter[HandshakeFailure] = Counter()

    def __len__(self) -> int:
        return len(self._entrants)

    @property
    def accepted(self) -> int:
        """Sockets that were let in so far."""
        return self._accepted

    @property
    def refused(self) -> dict[str, int]:
        """Sockets that came to nothing so far, by the reason."""
        return {str(reason): count for reason, count in self._refused.items()}

    def enter(self, address: str, most: int, most_per_address: int) -> Entrant:
        """
        Let a socket in.

        Where it is full, the oldest that waits for no answer gives way: so one who
        opens sockets and is silent, or does not read, keeps nobody out, not even
        those who share an address with them.

        Args:
            address: Whence; nothing: that limit does not apply.
            most: Of all; 0: any number.
            most_per_address: From one address; 0: any number.

        Raises:
            RefusedError: All the others have asked for something, and are about to be answered.
        """
        self._make_room(address, most, most_per_address)
        entrant = Entrant(address)
        self._add(entrant)
        self._accepted += 1
        return entrant

    def move(self, entrant: Entrant, address: str, most_per_address: int) -> None:
        """
        Count *entrant* at another address: it has come by a proxy, which said so.

        Raises:
            RefusedError: It is full there.
        """
        self.leave(entrant)
        self._make_room(address, 0, most_per_address)
        entrant.address = address
        self._add(entrant)

    def leave(self, entrant: Entrant) -> None:
        """Its client has said who it is, or it is gone; once or more often."""
        if entrant in self._entrants:
            del self._entrants[entrant]
            others = self._per_address[entrant.address]
            del others[entrant]
            if not others:
                del self._per_address[entrant.address]

    def count_refusal(self, reason: HandshakeFailure) -> None:
        """One more has come to nothing."""
        self._refused[reason] += 1

    def _add(self, entrant: Entrant) -> None:
        self._entrants[entrant] = None
        self._per_address.setdefault(entrant.address, {})[entrant] = None

    def _make_room(self, address: str, most: int, most_per_address: int) -> None:
        neighbours = self._per_address.get(address, {}) if address else {}
        if most_per_address and len(neighbours) >= most_per_address:
            self._displace_one(neighbours)
        if most and len(self._entrants) >= most:
            self._displace_one(self._entrants)

    def _displace_one(self, entrants: Iterable[Entrant]) -> None:
        oldest = next((each for each in entrants if each.is_mute), None)
        if oldest is None:
            raise full()
        self.leave(oldest)
        oldest.has_given_way = True
        oldest.scope.cancel()


def full() -> RefusedError:
    """Why a socket is not let in, or has to give way."""
    text = "too many clients that have not yet said who they are; try again"
    reply = refusal(HTTPStatus.SERVICE_UNAVAILABLE, text, [retry_after(RETRY_AFTER)])
    return RefusedError(reply, HandshakeFailure.CAPACITY, text)
