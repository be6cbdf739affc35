from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import example, given, strategies as st

from bamboo_gateway.config import DEFAULT_BIND, MAX_PORT, Address, GatewayConfig, Setting, waiting_settings
from bamboo_gateway.errors import ConfigError

FIELDS = attrs.fields(GatewayConfig)
KINDS = {field.name: Setting.of(field).kind for field in FIELDS}


def names(*kinds: str) -> list[str]:
    """The settings of these kinds."""
    return [name for name, kind in KINDS.items() if kind in kinds]


def can_be_off(name: str) -> bool:
    """Is it a limit that 0 switches off?"""
    return Setting.of(attrs.fields_dict(GatewayConfig)[name]).can_be_off


def configured(name: str, value: Any) -> GatewayConfig:
    """A gateway's settings, one of which is given as a file or an environment might give it."""
    settings = {name: value}
    return GatewayConfig(**settings)


class TestAddress:
    @pytest.mark.parametrize(
        ("text", "host", "port"),
        [
            (DEFAULT_BIND, "127.0.0.1", 18790),
            ("localhost:0", "localhost", 0),
            ("gateway.example:65535", "gateway.example", 65535),
            ("[::1]:80", "::1", 80),
            ("[::ffff:10.0.0.1]:80", "::ffff:10.0.0.1", 80),
        ],
    )
    def test_reads_and_writes_host_and_port(self, text: str, host: str, port: int) -> None:
        """An address is read and written in the same form, IPv6 in brackets."""
        address = Address.parse(text)
        assert isinstance(address, Address)
        assert (address.host, address.port) == (host, port)
        assert str(address) == text

    @pytest.mark.parametrize(
        "text",
        ["", ":", "host", "host:", ":80", "host:-1", "host:65536", "host:8o", "host:٣", "host:" + "9" * 5000,
         "a:b:80", "::1:80", "[::1]", "[::1:80", "::1]:80", "[]:80", "[host]:80", "ho st:80", "host:80\n"],
        ids=range(19),
    )  # fmt: skip
    def test_refuses_what_is_none(self, text: str) -> None:
        """The error shows a right one; an address that could be read in two ways is refused."""
        with pytest.raises(ConfigError, match=r"is no HOST:PORT, such as 127\.0\.0\.1:18790"):
            Address.parse(text)

    @given(st.text())
    def test_takes_or_refuses_any_text(self, text: str) -> None:
        """Any text is an address, and the same when written, or one clear error."""
        try:
            address = Address.parse(text)
        except ConfigError:
            return
        assert Address.parse(str(address)) == address

    @given(st.ip_addresses(), st.integers(0, MAX_PORT))
    @example("127.8.8.8", 1)
    def test_knows_who_can_reach_it(self, ip: object, port: int) -> None:
        """Loopback is what the standard library takes for it, in IPv4 and IPv6."""
        address = Address(str(ip), port)
        assert Address.parse(str(address)) == address
        assert address.is_loopback == (str(ip).startswith("127.") or str(ip) == "::1")

    def test_takes_no_name_but_localhost_for_loopback(self) -> None:
        """What a name stands for is not looked up, so a name is taken to be reachable."""
        assert Address("localhost", 0).is_loopback
        assert not Address("loopback.example", 0).is_loopback


class TestGatewayConfig:
    def test_has_the_defaults_of_the_original_gateway(self) -> None:
        """Without any setting it listens where the original does, asks for no token, holds 1,000 clients."""
        config = GatewayConfig()
        assert str(config.address) == "127.0.0.1:18790"
        assert config.auth_token is None
        assert config.max_connections == 1000
        assert config.heartbeat_interval == 30

    @pytest.mark.parametrize("name", names("seconds", "count", "bytes"))
    @pytest.mark.parametrize("value", ["5", True, -1, float("nan"), float("inf"), 2**53, [1]], ids=str)
    def test_refuses_wrong_numbers(self, name: str, value: object) -> None:
        """Nothing is coerced, and what no clock or client could hold is refused, by the setting's name."""
        with pytest.raises(ConfigError, match=f"^{name}: .* is no (whole )?number"):
            configured(name, value)

    @pytest.mark.parametrize("name", names("seconds"))
    def test_takes_seconds_whole_or_not(self, name: str) -> None:
        """Durations are seconds; zero is none, but switches a limit off."""
        for value in (0.001, 1, 2.5):
            assert getattr(configured(name, value), name) == value
        if can_be_off(name):
            assert getattr(configured(name, 0), name) == 0
        else:
            with pytest.raises(ConfigError, match=name):
                configured(name, 0)

    @pytest.mark.parametrize("name", names("count", "bytes"))
    def test_takes_whole_numbers(self, name: str) -> None:
        """Counts and sizes are whole numbers from 1, or from 0 where none is a sensible choice."""
        assert getattr(configured(name, 1), name) == 1
        with pytest.raises(ConfigError, match=name):
            configured(name, 1.0)
        if name == "max_queued_chats" or can_be_off(name):
            assert getattr(configured(name, 0), name) == 0
        else:
            with pytest.raises(ConfigError, match=name):
                configured(name, 0)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("bind", 5),
            ("bind", None),
            ("bind", "nowhere"),
            ("auth_token", ""),
            ("auth_token", 5),
            ("allowed_origins", "https://one.example"),
            ("allowed_origins", 5),
            ("allowed_origins", [5]),
        ],
    )
    def test_refuses_wrong_values(self, name: str, value: Any) -> None:
        """A value of a wrong kind is one error that names the setting, not a surprise later."""
        with pytest.raises(ConfigError, match=rf"^{name}: "):
            configured(name, value)

    def test_keeps_origins_as_a_tuple(self) -> None:
        """A list from a file is as good as a tuple, and cannot be changed afterwards."""
        config = configured("allowed_origins", ["https://a.example"])
        assert config.allowed_origins == ("https://a.example",)

    @pytest.mark.parametrize("bind", ["0.0.0.0:0", "[::]:0", "10.0.0.1:80", "gateway.example:80"])
    def test_does_not_stand_open_to_the_network(self, bind: str) -> None:
        """Where others can reach it, it wants a token."""
        config = GatewayConfig(bind=bind)
        with pytest.raises(ConfigError, match="set auth_token, or bind to"):
            config.refuse_to_stand_open(asks_who=False)
        config.refuse_to_stand_open(asks_who=True)
        attrs.evolve(config, insecure_no_auth=True).refuse_to_stand_open(asks_who=False)

    def test_does_not_show_its_token(self) -> None:
        """A config that ends up in a log gives nothing away, and neither does an error about the token."""
        assert "secret" not in repr(GatewayConfig(auth_token="secret"))
        assert Setting.of(FIELDS.auth_token).kind == "secret"

    def test_every_setting_says_what_it_means(self) -> None:
        """The command line and the docs are made from this."""
        for field in FIELDS:
            assert Setting.of(field).meaning.endswith(".")


class TestSuccession:
    def test_what_needs_a_restart_stays(self) -> None:
        """All else is as it was given; the names of what stays are told, in the table's order."""
        now = GatewayConfig(bind="127.0.0.1:1", log_max_events=1, max_sessions=1)
        later = GatewayConfig(bind="127.0.0.1:2", log_max_events=2, max_sessions=2)
        then, waiting = now.succeeded_by(later)
        assert waiting == waiting_settings(now, later) == ("bind", "log_max_events")
        assert then == GatewayConfig(bind="127.0.0.1:1", log_max_events=1, max_sessions=2)

    @pytest.mark.parametrize(
        ("now", "later", "waits"),
        [("a", "b", False), (None, "b", True), ("a", None, True), (None, None, False), ("a", "a", False)],
    )
    def test_a_switch_waits_to_be_switched(self, now: str | None, later: str | None, *, waits: bool) -> None:
        """Another one: at once. One where there was none, or none any more: at the next start."""
        configs = [GatewayConfig(tls_cert=path) for path in (now, later)]
        assert waiting_settings(*configs) == (("tls_cert",) if waits else ())
