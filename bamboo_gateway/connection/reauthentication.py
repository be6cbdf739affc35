"""`auth.refresh`: a live connection shows a new token, and goes on with what that allows."""

from __future__ import annotations

import attrs

from ..errors import ErrorCode, GatewayError
from ..identity.gatekeeper import Gatekeeper
from ..principal import Credentials, Family, Principal
from .pool import ConnectionPool


@attrs.frozen
class Reauthentication:
    """Gives a connection another principal of the same user; a `commands.context.Reauthenticate`."""

    _pool: ConnectionPool
    _gatekeeper: Gatekeeper

    async def __call__(self, connection_id: str | None, token: str) -> Principal:
        """
        Let the connection go on as whoever *token* belongs to.

        What that hears beyond the old one is followed from the next `connect`
        on. One that hears less is refused, for what the connection follows
        already would still come.

        Raises:
            GatewayError: All stays as it was. `UNAUTHORIZED`: the token is nobody's, or another user's;
                `RATE_LIMITED`: too many such came from there; `FORBIDDEN`: it hears less; `NOT_CONNECTED`:
                there is no such connection.
        """
        connection = None if connection_id is None else self._pool.get(connection_id)
        if connection is None or connection.principal is None:
            raise GatewayError(ErrorCode.NOT_CONNECTED, "auth.refresh is for a client's own connection")
        before = connection.principal
        credentials = Credentials(token, connection.address)
        principal = await self._gatekeeper.admit(credentials, user_id=before.user_id)
        lost: list[str] = [each for each in Family if before.hears(each) and not principal.hears(each)]
        if before.is_operator and not principal.is_operator:
            lost.append("what is others'")
        if lost:
            raise GatewayError(
                ErrorCode.FORBIDDEN,
                f"the new token may not hear all that this connection follows ({', '.join(lost)}); "
                "connect with it",
            )
        connection.principal = principal
        return principal
