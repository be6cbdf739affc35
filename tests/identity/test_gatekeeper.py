from __future__ import annotations

import pytest
import trio
from structlog.testing import capture_logs

from bamboo_gateway.config import GatewayConfig
from bamboo_gateway.errors import ErrorCode, GatewayError
from bamboo_gateway.identity.directory import TokenDirectory
from bamboo_gateway.identity.gatekeeper import Gatekeeper, GatekeeperStatistics
from bamboo_gateway.ports import Authenticator
from bamboo_gateway.principal import LOCAL, Credentials, Principal, Scope

HERE, THERE = "192.0.2.1", "192.0.2.2"


class House:
    """A gatekeeper, its settings and its clock."""

    def __init__(self, authenticate: Authenticator | None = None, **settings: float) -> None:
        self.now = 1000.0
        self.config = GatewayConfig(auth_token="sesame", **settings)  # type: ignore[arg-type]  # numbers
        self.keeper = Gatekeeper(
            authenticate or TokenDirectory(self.config), lambda: self.config, lambda: self.now
        )

    async def knock(self, token: str | None, address: str = HERE) -> str:
        """Show *token*: who that is, or the code of the refusal."""
        try:
            return (await self.keeper.admit(Credentials(token, address))).user_id
        except GatewayError as error:
            return error.code

    async def guess(self, count: int, address: str = HERE) -> list[str]:
        """Show wrong tokens; what comes of each."""
        return [await self.knock(f"wrong {number}", address) for number in range(count)]


async def test_where_nothing_is_asked_everybody_is_the_operator() -> None:
    """Whatever they show, and however often."""
    keeper = Gatekeeper(TokenDirectory(GatewayConfig()), GatewayConfig)
    assert not keeper.asks
    for _ in range(20):
        assert await keeper.admit(Credentials("wrong", HERE)) is LOCAL
    assert keeper.still_holds(LOCAL)


async def test_too_many_wrong_tokens_block_their_address() -> None:
    """Whatever it shows then, loopback as any other; others are let in meanwhile."""
    for address in (HERE, "127.0.0.1", "::1", "unix", ""):
        house = House()
        with capture_logs() as logs:
            assert await house.guess(10, address) == ["UNAUTHORIZED"] * 10
        assert [(line["event"], line["seconds"]) for line in logs] == [("address blocked", 300.0)]
        assert await house.knock("sesame", address) == "RATE_LIMITED"
        assert await house.knock(None, address) == "RATE_LIMITED"
        assert await house.knock("sesame", THERE) == "local"
        house.now += 299
        with pytest.raises(GatewayError) as caught:
            house.keeper.check_address(address)
        assert (caught.value.code, caught.value.retry_after) == (ErrorCode.RATE_LIMITED, 1)
        house.now += 1
        assert await house.knock("sesame", address) == "local"


async def test_an_ipv6_network_is_one_address() -> None:
    """Who has 2⁶⁴ of them does not get that many guesses."""
    house = House()
    for number in range(10):
        await house.knock("wrong", f"2001:db8::{number}")
    assert await house.knock("sesame", "2001:db8::ffff:1:2:3") == "RATE_LIMITED"
    assert await house.knock("sesame", "2001:db8:0:1::1") == "local"


async def test_a_right_token_pays_for_no_wrong_one() -> None:
    """Who has one of their own could guess at another's for ever."""
    house = House()
    for _ in range(9):
        await house.knock("wrong")
        assert await house.knock("sesame") == "local"
    await house.knock("wrong")
    assert await house.knock("sesame") == "RATE_LIMITED"


async def test_no_token_is_no_guess() -> None:
    """It is refused, and does not lock anybody out."""
    house = House()
    assert [await house.knock(None) for _ in range(50)] == ["UNAUTHORIZED"] * 50
    assert await house.knock("sesame") == "local"


@pytest.mark.parametrize("off", ["max_failed_tokens", "failed_tokens_block"])
async def test_either_setting_switches_it_off(off: str) -> None:
    """0: nobody is ever blocked; read anew, that holds for who was, too."""
    house = House(None, **{off: 0})
    assert await house.guess(50) == ["UNAUTHORIZED"] * 50
    house = House()
    await house.guess(10)
    assert await house.knock("sesame") == "RATE_LIMITED"
    house.config = House(None, **{off: 0}).config
    assert await house.knock("sesame") == "local"


async def test_limits_are_read_at_each_use() -> None:
    """Settings that are read anew hold at once."""
    house = House()
    await house.guess(3)
    house.config = House(max_failed_tokens=4, failed_tokens_block=2).config
    await house.guess(1)
    assert await house.knock("sesame") == "RATE_LIMITED"
    house.now += 2
    assert await house.knock("sesame") == "local"


async def test_guesses_at_the_same_time_are_counted_before_any_is_answered() -> None:
    """An authenticator that takes its time gives no more guesses for it; nor is a right one told then."""

    async def slow(credentials: Credentials) -> Principal | None:
        await trio.sleep(0 if credentials.token == "wrong" else 0.01)
        return LOCAL if credentials.token == "sesame" else None

    house, told = House(slow), []

    async def knock(token: str) -> None:
        told.append(await house.knock(token))

    async with trio.open_nursery() as nursery:
        for token in ("sesame", *["wrong"] * 100):
            nursery.start_soon(knock, token)
    assert told.count("UNAUTHORIZED") == 10
    assert told.count("RATE_LIMITED") == 91


async def test_another_user_will_not_do() -> None:
    """Where one is wanted, everybody else's token is a wrong one, and counts as that."""
    house = House()
    for _ in range(10):
        with pytest.raises(GatewayError) as caught:
            await house.keeper.admit(Credentials("sesame", HERE), user_id="ann")
        assert caught.value.code is ErrorCode.UNAUTHORIZED
    assert (await house.keeper.admit(Credentials("sesame", THERE), user_id="local")).is_operator
    assert await house.knock("sesame") == "RATE_LIMITED"


async def test_an_authenticator_that_raises_lets_nobody_in() -> None:
    """It is logged without the token, though its own text has it; and it is no guess."""

    async def broken(credentials: Credentials) -> Principal | None:
        raise LookupError(f"no row for {credentials.token}")

    house = House(broken)
    with capture_logs() as logs:
        assert [await house.knock("my secret") for _ in range(20)] == ["IDENTITY_UNAVAILABLE"] * 20
    assert {line["event"] for line in logs} == {"authenticator raised"}
    assert "no row for [token]" in logs[0]["exception"]
    assert "my secret" not in repr(logs)
    assert await house.knock(None) == "IDENTITY_UNAVAILABLE"


async def test_an_authenticator_that_returns_something_else_lets_nobody_in() -> None:
    """The log names what it has to return."""

    async def wrong(credentials: Credentials) -> Principal | None:
        return credentials.token  # type: ignore[return-value] # on purpose

    with capture_logs() as logs:
        assert await House(wrong).knock("ann") == "IDENTITY_UNAVAILABLE"
    assert "returns a Principal or None, not str" in logs[0]["exception"]


async def test_a_plain_function_has_nothing_to_revoke() -> None:
    """Who it has let in stays until the program says otherwise."""

    async def everybody(credentials: Credentials) -> Principal | None:
        return Principal("ann")

    keeper = House(everybody).keeper
    assert keeper.asks
    assert not keeper.refresh()
    assert keeper.still_holds(Principal("ann"))


async def test_new_settings_bring_new_tokens() -> None:
    """Where they are the gateway's own to judge; a program's function goes on as it is."""
    house = House()
    house.keeper.configure(GatewayConfig(auth_token="open"))
    assert house.keeper.refresh()
    assert [await house.knock("sesame"), await house.knock("open")] == ["UNAUTHORIZED", "local"]

    async def everybody(credentials: Credentials) -> Principal | None:
        return Principal("ann", frozenset({Scope.CHAT}))

    house = House(everybody)
    house.keeper.configure(GatewayConfig(auth_token="open"))
    assert await house.knock("sesame") == "ann"


async def test_it_counts() -> None:
    """Who came in, who did not, and why."""
    house = House(max_failed_tokens=2)
    for token in ("sesame", None, "wrong", "wrong", "sesame"):
        await house.knock(token)
    assert house.keeper.statistics() == GatekeeperStatistics(1, 3, 1, 1)
