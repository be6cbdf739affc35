"""A session's metadata: labels that its owner sets, as JSON of a bounded size."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import ErrorCode, GatewayError, InvalidMessageError
from ..protocol import codec, strict_json
from ..protocol.messages import Json

MAX_METADATA_BYTES = 16 * 1024
"""Of one session, as JSON: labels, not documents."""


def merge(metadata: Mapping[str, Json], changes: Mapping[str, Json]) -> dict[str, Json]:
    """
    Set the keys of *changes* in a copy of *metadata*; a None takes its key away (RFC 7396, one level).

    Raises:
        GatewayError: It would not be JSON (`INVALID_ARGUMENTS`), or too much of it (`LIMIT_EXCEEDED`).
    """
    merged = {key: value for key, value in {**metadata, **changes}.items() if value is not None}
    try:
        # An embedding program is held to what a client can send, and keeps no part of it to change it later.
        text = strict_json.dump(codec.unstructure(merged))
        copy: dict[str, Json] = strict_json.parse(text.decode())
    except InvalidMessageError as error:
        raise GatewayError(ErrorCode.INVALID_ARGUMENTS, f"metadata: {error}") from None
    if len(text) > MAX_METADATA_BYTES:
        raise GatewayError(ErrorCode.LIMIT_EXCEEDED, f"metadata has more than {MAX_METADATA_BYTES} bytes")
    return copy
