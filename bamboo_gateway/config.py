"""How a gateway is set up: every setting with its unit, its default and the reason for it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeAlias

import attrs
from attrs.validators import optional

from .errors import ConfigError
from .token_record import TokenRecord

DEFAULT_BIND = "127.0.0.1:18790"
MAX_PORT = 65535
UNIX = "unix:"
_ADDRESS = re.compile(r"(\[(?P<ipv6>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:\[\]]+)):(?P<port>[0-9]{1,5})")


@attrs.frozen
class UnixAddress:
    """A socket in the file system: only who may open the file can reach it."""

    path: str

    is_loopback = True
    """Nobody but this machine can reach it."""

    def __str__(self) -> str:
        return f"{UNIX}{self.path}"


@attrs.frozen
class Address:
    """A host and TCP port to listen on."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address | UnixAddress:
        """
        Read `HOST:PORT` or `unix:PATH`.

        HOST is an IP address or name, `[::1]` for IPv6; with port 0 the system chooses.

        Raises:
            ConfigError: It is no such address.
        """
        if text.startswith(UNIX) and len(text) > len(UNIX):
            return UnixAddress(text.removeprefix(UNIX))
        match = _ADDRESS.fullmatch(text)
        if match is None or int(match["port"]) > MAX_PORT:
            raise ConfigError(
                f"bind: {text!r:.80} is no HOST:PORT, such as {DEFAULT_BIND} or [::1]:0, and no {UNIX}PATH"
            )
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

Kind: TypeAlias = Literal[
    "text", "secret", "address", "list", "flag", "count", "bytes", "seconds", "rate", "tokens"
]
Check: TypeAlias = Callable[[object, "attrs.Attribute[Any]", Any], None]


@attrs.frozen
class Setting:
    """What a field says of itself, beside its name and default, so that a command line can offer it."""

    kind: Kind
    meaning: str
    choices: tuple[str, ...] = ()
    """The only values that a text may have; empty: any."""
    can_be_off: bool = False
    """Is it a limit that 0 switches off?"""
    needs_restart: bool = False
    """Does it stay as it was at the start, whatever SIGHUP reads?"""
    is_switch: bool = False
    """Does at least a change from none, or to none, wait for a restart?"""

    def waits(self, now: object, later: object) -> bool:
        """Does the change from the value *now* to *later* wait for a restart?"""
        return now != later and (self.needs_restart or (self.is_switch and None in (now, later)))

    @classmethod
    def of(cls, field: attrs.Attribute[Any]) -> Setting:
        """Read what `setting` has written."""
        found: Setting = field.metadata[cls]
        return found


def setting(
    kind: Kind,
    default: object,
    meaning: str,
    *,
    choices: tuple[str, ...] = (),
    can_be_off: bool = False,
    needs_restart: bool = False,
    is_switch: bool = False,
    **options: Any,
) -> Any:
    """
    Declare a field that is a setting and checks itself; a default of None may stay.

    *options* are those of `attrs.field`; a `validator` takes the place of its kind's.
    """
    check = options.pop("validator", (_CHECKS_OR_OFF if can_be_off else _CHECKS)[kind])
    return attrs.field(
        default=default,
        validator=optional(check) if default is None else check,
        metadata={Setting: Setting(kind, meaning, choices, can_be_off, needs_restart, is_switch)},
        **options,
    )


def waiting_settings(now: Any, later: Any) -> tuple[str, ...]:
    """The names of those settings that *later* has changed, and that wait for a restart."""
    return tuple(
        field.name
        for field in attrs.fields(type(now))
        if Setting.of(field).waits(getattr(now, field.name), getattr(later, field.name))
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


def _flag(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, bool):
        raise ConfigError(f"{field.name}: {value!r:.80} is neither true nor false")


def _tokens(_: object, field: attrs.Attribute[Any], value: Any) -> None:
    ids = set()
    for each in value:
        if not isinstance(each, TokenRecord):
            raise ConfigError(f"{field.name}: a value of type {type(each).__name__} is no TokenRecord")
        if each.id in ids:
            raise ConfigError(f"{field.name}: two tokens have the id {each.id}; take one of them out")
        ids.add(each.id)


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
    "flag": _flag,
    "count": number_from(int, 1, "whole number"),
    "bytes": number_from(int, 1, "whole number of bytes"),
    "seconds": number_from((int, float), 0.001, "number of seconds"),
    "rate": number_from((int, float), 0.001, "number a second"),
    "tokens": _tokens,
}

_CHECKS_OR_OFF: dict[Kind, Check] = {
    "count": _count_from_0,
    "bytes": number_from(int, 0, "whole number of bytes"),
    "seconds": number_from((int, float), 0, "number of seconds"),
    "rate": number_from((int, float), 0, "number a second"),
}
"""Of limits that 0 switches off."""


def _items(value: object) -> object:
    """Keep a list as the tuple that a frozen value needs; a text is a single item to nobody but Python."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigError(f"allowed_origins: {value!r} is no list of origins, such as https://chat.example")
    for origin in value:
        if origin == "null":
            raise ConfigError(
                "allowed_origins: null is the origin of every sandboxed frame and file, whoever made it; "
                "serve the page from an address of its own, and name that"
            )
        # A path, or a slash at the end, is no part of an origin: it could never match.
        if isinstance(origin, str) and not re.fullmatch(r"[^/]+://[^/]+", origin):
            raise ConfigError(f"allowed_origins: {origin!r} is no origin, such as https://chat.example")
    return tuple(value)


def _networks(value: object) -> object:
    """The same for addresses and networks."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ConfigError(f"trusted_proxies: {value!r} is no list of addresses, such as 10.0.0.0/8")
    for each in value:
        try:
            if each != "unix":
                ipaddress.ip_network(each)
        except ValueError:
            raise ConfigError(
                f"trusted_proxies: {each!r:.80} is no address or network, such as 127.0.0.1 or 10.0.0.0/8"
            ) from None
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
        "address",
        DEFAULT_BIND,
        "`HOST:PORT` or `unix:PATH` to listen on. Beyond this machine, clients have to say who they are.",
        needs_restart=True,
    )
    tls_cert: str | None = setting(
        "text",
        None,
        "A PEM file with the certificate and what stands between it and its root: speak TLS.",
        is_switch=True,
    )
    tls_key: str | None = setting("text", None, "A PEM file with its key, if that is not in the same file.")
    auth_token: str | None = setting(
        "secret",
        None,
        "The one token of all clients, who may then do everything; see `token create` for others.",
        repr=False,
    )
    principals: tuple[TokenRecord, ...] = setting(
        "tokens",
        (),
        "Who else may come in, and what they may do: `[[principals]]` in the settings file, as "
        "`token create --toml` writes it.",
        converter=tuple,
        repr=False,
    )
    insecure_no_auth: bool = setting(
        "flag",
        default=False,
        meaning="Ask nothing of anybody, though other machines can reach `bind`: all may do everything.",
        needs_restart=True,
    )
    allowed_origins: tuple[str, ...] = setting(
        "list",
        (),
        "An origin of web pages that may connect besides the gateway's own, to the letter: `https://chat.example`.",
        converter=_items,
    )
    console: bool = setting(
        "flag",
        default=True,
        meaning="Serve the web console at `/` and the client module for web pages at `/client/`: files that "
        "anybody may have, and no way past the token.",
    )
    trusted_proxies: tuple[str, ...] = setting(
        "list",
        (),
        "An address or network (`10.0.0.0/8`; `unix`) of a proxy in front whose `X-Forwarded-For` is "
        "believed: otherwise all its clients share the limits of one address.",
        converter=_networks,
    )
    max_connections: int = setting(
        "count",
        1000,
        "Connections held at once; the next is told `CAPACITY_EXCEEDED`. 40 KB each.",
        can_be_off=True,
    )
    max_connections_per_principal: int = setting(
        "count",
        250,
        "The same of one principal that is no operator: a team's devices, a quarter of the whole.",
        can_be_off=True,
    )
    max_unauthenticated_connections: int = setting(
        "count",
        256,
        "Of sockets whose `connect` was not accepted yet: a crowd that comes back, and not all descriptors.",
        can_be_off=True,
    )
    max_unauthenticated_per_address: int = setting(
        "count",
        32,
        "The same from one address: what a browser with many tabs needs, and no more.",
        can_be_off=True,
    )
    head_timeout: float = setting(
        "seconds",
        5.0,
        "Time that the head of a request may take, all in all: nobody sends it byte by byte but to hold "
        "a socket open.",
        can_be_off=True,
    )
    max_head_bytes: int = setting(
        "bytes", 16 * 1024, "Size of that head: twice what browsers with their cookies send.", can_be_off=True
    )
    max_head_fields: int = setting(
        "count", 100, "Lines of that head: four times what browsers and proxies send.", can_be_off=True
    )
    connect_timeout: float = setting(
        "seconds",
        10.0,
        "Time from accept, or from the last page that was asked for, to an accepted `connect`: enough on a "
        "bad line, too little to hoard sockets.",
        can_be_off=True,
    )
    max_failed_tokens: int = setting(
        "count",
        10,
        "Wrong tokens from one address in a minute: a person may mistype, a machine may not guess.",
        can_be_off=True,
    )
    failed_tokens_block: float = setting(
        "seconds",
        300.0,
        "Time for which an address with more of them is refused, whatever it shows then.",
        can_be_off=True,
    )
    message_rate: float = setting(
        "rate",
        100.0,
        "Messages a second of one connection, ten seconds' worth at once; more are `RATE_LIMITED`. A person "
        "types one.",
        can_be_off=True,
    )
    principal_message_rate: float = setting(
        "rate",
        500.0,
        "The same of all connections of one principal: a program with some devices, not a loop gone wild.",
        can_be_off=True,
    )
    heartbeat_interval: float = setting("seconds", 30.0, "Silence of a client after which it is pinged.")
    heartbeat_timeout: float = setting("seconds", 10.0, "Time that a client has to answer a ping.")
    write_timeout: float = setting(
        "seconds",
        20.0,
        "Time without one byte taken before a slow client is let go (4005).",
    )
    close_timeout: float = setting(
        "seconds",
        1.0,
        "Time that the close handshake may take, and so a stop: unless an agent shields itself from it.",
    )
    drain_timeout: float = setting(
        "seconds",
        30.0,
        "Time that turns have to come to their end when the gateway is asked to stop; then they are "
        "interrupted. Off: as long as they take; `0.001`: no time at all.",
        can_be_off=True,
    )
    command_timeout: float = setting(
        "seconds",
        10.0,
        "Time that an agent's tool may take to answer a command, or an outside channel to take a message.",
        needs_restart=True,
    )
    max_message_bytes: int = setting(
        "bytes",
        1024 * 1024,
        "Size of one message from a client, beyond which the socket closes (1009): a long document, no film.",
        can_be_off=True,
    )
    max_unauthenticated_message_bytes: int = setting(
        "bytes", 64 * 1024, "The same before `connect`: room for a token, none for a flood.", can_be_off=True
    )
    max_sessions: int = setting(
        "count", 100_000, "Sessions stored at once: a client that loops on `connect` must not fill the disk."
    )
    max_sessions_per_principal: int = setting(
        "count",
        1000,
        "The same of one principal that is no operator: years of a person's talks, a hundredth of the whole.",
        can_be_off=True,
    )
    max_channels: int = setting("count", 10_000, "In-gateway channels held at once.")
    max_channels_per_principal: int = setting(
        "count",
        100,
        "The same of one principal that is no operator: a team's, a hundredth of the whole.",
        can_be_off=True,
    )
    max_queued_chats_per_principal: int = setting(
        "count",
        64,
        "Chats that run or wait in all sessions of one principal that is no operator: four full queues.",
        can_be_off=True,
    )
    max_queued_chats: int = setting(
        "count", 16, "Chats of one session that may wait while a turn runs.", validator=_count_from_0
    )
    session_max_age: float | None = setting(
        "seconds",
        None,
        "Age at which a session that neither runs nor is watched is deleted; without it, never.",
        needs_restart=True,
    )
    cleanup_interval: float = setting(
        "seconds", 60.0, "Time between looks for such sessions.", needs_restart=True
    )
    session_idle_timeout: float = setting(
        "seconds",
        60.0,
        "Time after which a session that neither runs nor is watched is in the storage alone.",
        needs_restart=True,
    )
    upkeep_interval: float = setting(
        "seconds",
        10.0,
        "Time between looks for such sessions, and for what is too old to be kept.",
        needs_restart=True,
    )
    log_max_events: int = setting(
        "count",
        10_000,
        "Events that a session's or channel's log keeps for those who come back: hours of a busy agent.",
        needs_restart=True,
    )
    log_max_bytes: int = setting(
        "bytes",
        4 * 1024 * 1024,
        "Size of the same: what a phone can catch up with in a few seconds.",
        needs_restart=True,
    )
    log_max_age: float = setting(
        "seconds",
        7 * 86400.0,
        "Age of the same: who stays away for longer reads the conversation (`session.history`) anew.",
        needs_restart=True,
    )
    log_total_bytes: int = setting(
        "bytes",
        512 * 1024 * 1024,
        "Size of all logs together; short tokens take up to four times as much in memory. The longest unused "
        "are cut first.",
        needs_restart=True,
    )
    history_max_bytes: int = setting(
        "bytes",
        1024 * 1024,
        "Size of a conversation's newest part, which agents are given, and of an answer. All is stored.",
        needs_restart=True,
    )
    idempotency_max_age: float = setting(
        "seconds",
        86400.0,
        "Time for which the `id` of a chat or command is remembered: a client that was off for a night may "
        "say it again.",
        needs_restart=True,
    )
    idempotency_max_count: int = setting(
        "count",
        1000,
        "Such ids remembered in one session; the oldest are forgotten first.",
        needs_restart=True,
    )
    idempotency_max_bytes: int = setting(
        "bytes",
        1024 * 1024,
        "Size of the answers that are remembered with them.",
        needs_restart=True,
    )

    def __attrs_post_init__(self) -> None:
        """Refuse what is of no use."""
        if self.tls_key is not None and self.tls_cert is None:
            raise ConfigError("tls_key: a key alone is of no use; set tls_cert, too")

    def succeeded_by(self, later: GatewayConfig) -> tuple[GatewayConfig, tuple[str, ...]]:
        """
        Tell what a gateway that runs with these settings goes on with, and the names of those that wait.

        Raises:
            ConfigError: What does not wait makes no sense beside what does.
        """
        waiting = waiting_settings(self, later)
        return attrs.evolve(later, **{name: getattr(self, name) for name in waiting}), waiting

    def refuse_to_stand_open(self, *, asks_who: bool) -> None:
        """
        Refuse to serve other machines without asking them who they are.

        Raises:
            ConfigError: `bind` can be reached from other machines, and nothing is asked.
        """
        if asks_who or self.insecure_no_auth:
            return
        if self.trusted_proxies:
            raise ConfigError(
                "trusted_proxies: a proxy lets other machines in, and no token is asked for; make tokens "
                "(bamboo-gateway token create) or set auth_token; or, if everybody there may do everything, "
                "set insecure_no_auth"
            )
        if not self.address.is_loopback:
            raise ConfigError(
                f"bind: {self.bind} can be reached from other machines, and no token is asked for; make "
                "tokens (bamboo-gateway token create), set auth_token, or bind to 127.0.0.1; or, if "
                "everybody there may do everything, set insecure_no_auth"
            )

    @property
    def address(self) -> Address | UnixAddress:
        """Where to listen."""
        return Address.parse(self.bind)
