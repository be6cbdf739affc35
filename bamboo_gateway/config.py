"""How a gateway is set up: every setting with its unit, its default and the reason for it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

import attrs
from attrs.validators import optional

from .errors import ConfigError

DEFAULT_BIND = "127.0.0.1:18790"
MAX_PORT = 65535
_ADDRESS = re.compile(r"(\[(?P<ipv6>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:\[\]]+)):(?P<port>[0-9]{1,5})")


@attrs.frozen
class Address:
    """A host and TCP port to listen on."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """
        Read `HOST:PORT`: HOST is an IP address or name, `[::1]` for IPv6; with port 0 the system chooses.

        Raises:
            ConfigError: It is no such address.
        """
        match = _ADDRESS.fullmatch(text)
        if match is None or int(match["port"]) > MAX_PORT:
            raise ConfigError(f"bind: {text!r:.80} is no HOST:PORT, such as {DEFAULT_BIND} or [::1]:0")
        return cls(match["ipv6"] or match["host"], int(match["port"]))

    @property
    def is_loopback(self) -> bool:
        """Can nobody but this machine reach it?"""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


# ── what a setting is ────────────────────────────────────────────────────────

Kind: TypeAlias = Literal["text", "secret", "address", "list", "count", "bytes", "seconds"]
Check: TypeAlias = Callable[[object, "attrs.Attribute[Any]", Any], None]


@attrs.frozen
class Setting:
    """What a field says of itself, beside its name and default, so that a command line can offer it."""

    kind: Kind
    meaning: str
    choices: tuple[str, ...] = ()
    """The only values that a text may have; empty: any."""

    @classmethod
    def of(cls, field: attrs.Attribute[Any]) -> Setting:
        """Read what `setting` has written."""
        found: Setting = field.metadata[cls]
        return found


def setting(
    kind: Kind, default: object, meaning: str, *, choices: tuple[str, ...] = (), **options: Any
) -> Any:
    """
    Declare a field that is a setting and checks itself; a default of None may stay.

    *options* are those of `attrs.field`; a `validator` takes the place of its kind's.
    """
    check = options.pop("validator", _CHECKS[kind])
    return attrs.field(
        default=default,
        validator=optional(check) if default is None else check,
        metadata={Setting: Setting(kind, meaning, choices)},
        **options,
    )


def _text(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    choices = Setting.of(field).choices
    if not isinstance(value, str) or (choices and value not in choices):
        raise ConfigError(f"{field.name}: {value!r} is no {' or '.join(choices) or 'text'}")


def _secret(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise ConfigError(
            f"{field.name}: must be a text of at least one character; leave it out to ask for none"
        )


def _address(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    _text(_, field, value)
    Address.parse(value)


def _list(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not all(isinstance(item, str) for item in value):
        raise ConfigError(f"{field.name}: {value!r} is no list of texts")


_MOST = 2**53 - 1
"""What the numbers of every client can hold; infinity is more, and no number of seconds in JSON."""


def number_from(kind: type[int] | tuple[type[int], type[float]], least: float, says: str) -> Check:
    """A validator for numbers from *least* on; *says* completes "… is no"."""

    def check(_: object, field: attrs.Attribute[Any], value: Any) -> None:
        # bool is an int to Python, and NaN compares false with everything.
        if isinstance(value, bool) or not isinstance(value, kind) or not least <= value <= _MOST:
            raise ConfigError(f"{field.name}: {value!r:.80} is no {says} from {least} to {_MOST}")

    return check


_count_from_0 = number_from(int, 0, "whole number")

_CHECKS: dict[Kind, Check] = {
    "text": _text,
    "secret": _secret,
    "address": _address,
    "list": _list,
    "count": number_from(int, 1, "whole number"),
    "bytes": number_from(int, 1, "whole number of bytes"),
    "seconds": number_from((int, float), 0.001, "number of seconds"),
}


def _items(value: object) -> object:
    """Keep a list as the tuple that a frozen value needs; a text is a single item to nobody but Python."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigError(f"allowed_origins: {value!r} is no list of origins, such as https://chat.example")
    for origin in value:
        # A path, or a slash at the end, is no part of an origin: it could never match.
        if isinstance(origin, str) and origin != "null" and not re.fullmatch(r"[^/]+://[^/]+", origin):
            raise ConfigError(f"allowed_origins: {origin!r} is no origin, such as https://chat.example")
    return tuple(value)


# ── the settings ─────────────────────────────────────────────────────────────


@attrs.frozen(kw_only=True)
class GatewayConfig:
    """
    The settings of one gateway; all have a default.

    Raises:
        ConfigError: A value is unusable; the text names the setting.
    """

    bind: str = setting(
        "address", DEFAULT_BIND, "`HOST:PORT` to listen on. Beyond this machine, a token is required."
    )
    auth_token: str | None = setting(
        "secret", None, "What `connect.auth` must be; without it, nothing is asked.", repr=False
    )
    allowed_origins: tuple[str, ...] = setting(
        "list",
        (),
        "An origin of web pages that may connect besides the gateway's own, to the letter: `https://chat.example`.",
        converter=_items,
    )
    max_connections: int = setting(
        "count", 1000, "Connections held at once; the next is told `CAPACITY_EXCEEDED`."
    )
    handshake_timeout: float = setting(
        "seconds", 10.0, "Time from accept to the end of the WebSocket handshake."
    )
    connect_timeout: float = setting("seconds", 10.0, "Time from the handshake to an accepted `connect`.")
    heartbeat_interval: float = setting("seconds", 30.0, "Silence of a client after which it is pinged.")
    heartbeat_timeout: float = setting("seconds", 10.0, "Time that a client has to answer a ping.")
    write_timeout: float = setting(
        "seconds", 20.0, "Time without one byte taken before a slow client is let go (4005)."
    )
    close_timeout: float = setting(
        "seconds",
        1.0,
        "Time that the close handshake may take, and so a stop: unless an agent shields itself from it.",
    )
    command_timeout: float = setting(
        "seconds",
        10.0,
        "Time that an agent's tool may take to answer a command, or an outside channel to take a message.",
    )
    max_message_bytes: int = setting(
        "bytes", 1024 * 1024, "Size of one message from a client; beyond it the socket closes (1009)."
    )
    max_unauthenticated_message_bytes: int = setting(
        "bytes", 64 * 1024, "The same before `connect`: room for a token, none for a flood."
    )
    max_sessions: int = setting(
        "count", 100_000, "Sessions stored at once: a client that loops on `connect` must not fill the disk."
    )
    max_channels: int = setting("count", 10_000, "In-gateway channels held at once.")
    max_queued_chats: int = setting(
        "count", 16, "Chats of one session that may wait while a turn runs.", validator=_count_from_0
    )
    session_max_age: float | None = setting(
        "seconds",
        None,
        "Age at which a session that neither runs nor is watched is deleted; without it, never.",
    )
    cleanup_interval: float = setting("seconds", 60.0, "Time between looks for such sessions.")
    session_idle_timeout: float = setting(
        "seconds",
        60.0,
        "Time after which a session that neither runs nor is watched is in the storage alone.",
    )
    upkeep_interval: float = setting(
        "seconds", 10.0, "Time between looks for such sessions, and for what is too old to be kept."
    )
    log_max_events: int = setting(
        "count",
        10_000,
        "Events that a session's or channel's log keeps for those who come back: hours of a busy agent.",
    )
    log_max_bytes: int = setting(
        "bytes", 4 * 1024 * 1024, "Size of the same: what a phone can catch up with in a few seconds."
    )
    log_max_age: float = setting(
        "seconds",
        7 * 86400.0,
        "Age of the same: who stays away for longer reads the conversation (`session.history`) anew.",
    )
    log_total_bytes: int = setting(
        "bytes",
        512 * 1024 * 1024,
        "Size of all logs together: half the memory of a small machine. The longest unused are cut first.",
    )
    history_max_bytes: int = setting(
        "bytes",
        1024 * 1024,
        "Size of a conversation's newest part, which agents are given, and of an answer. All is stored.",
    )
    idempotency_max_age: float = setting(
        "seconds",
        86400.0,
        "Time for which the `id` of a chat or command is remembered: a client that was off for a night may "
        "say it again.",
    )
    idempotency_max_count: int = setting(
        "count", 1000, "Such ids remembered in one session; the oldest are forgotten first."
    )
    idempotency_max_bytes: int = setting(
        "bytes", 1024 * 1024, "Size of the answers that are remembered with them."
    )

    def __attrs_post_init__(self) -> None:
        """Refuse to stand open to the network."""
        if not self.address.is_loopback and self.auth_token is None:
            raise ConfigError(
                f"bind: {self.bind} can be reached from other machines, and no token is set; "
                "set auth_token, or bind to 127.0.0.1"
            )

    @property
    def address(self) -> Address:
        """Where to listen."""
        return Address.parse(self.bind)
