"""What the checks see of a real machine."""

from __future__ import annotations

import datetime
import errno
import os
import socket
from pathlib import Path

import pytest
import trustme

from bamboo_gateway import GatewayConfig
from bamboo_gateway.cli import main
from bamboo_gateway.cli.doctor import (
    agent,
    certificate,
    clock,
    descriptors,
    environment,
    port,
    storage,
    tokens,
)
from bamboo_gateway.cli.doctor.examination import Subject, examine
from bamboo_gateway.cli.doctor.finding import Finding, well
from bamboo_gateway.cli.doctor.listening_process import listening_process
from bamboo_gateway.cli.settings import SETTINGS
from bamboo_gateway.config import Address, UnixAddress
from bamboo_gateway.identity.tokens_file import editing
from bamboo_gateway.storage.sqlite import SQLiteStorage
from tests.agents.endpoint import endpoint, status
from tests.client.served import served
from tests.storage.stage import opened

DAY = datetime.timedelta(days=1)


# ── port ─────────────────────────────────────────────────────────────────────


async def test_a_free_port_is_found_free_and_left_so() -> None:
    """It can be listened on afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
    assert await port.look(Address("127.0.0.1", number)) == port.PortSurvey()
    socket.create_server(("127.0.0.1", number)).close()


async def test_who_listens_on_a_port_is_named() -> None:
    """This process, here; and that it is no gateway."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = await port.look(Address("127.0.0.1", taken.getsockname()[1]))
    assert (found.errno, found.server) == (errno.EADDRINUSE, None)
    assert found.process is not None
    assert found.process.startswith(f"{os.getpid()}, ")


async def test_a_gateway_that_listens_there_is_known_by_its_answer() -> None:
    """Its version is told."""
    async with served() as (_, url):
        host, _, number = url.removeprefix("ws://").partition(":")
        found = await port.look(Address(host, int(number)))
    assert found.server == "0.1.0"


@pytest.mark.parametrize(
    ("address", "numbers"),
    [
        (Address("203.0.113.1", 1), {errno.EADDRNOTAVAIL}),
        (Address("nobody.invalid", 1), {socket.EAI_NONAME, socket.EAI_AGAIN}),
        (Address("127.0.0.1", 0), {None}),
    ],
)
async def test_why_an_address_cannot_be_had_is_what_the_system_says(
    address: Address, numbers: set[int | None]
) -> None:
    """Another machine's, nobody's; and any port can be had."""
    assert (await port.look(address)).errno in numbers


async def test_a_socket_in_the_file_system_is_looked_at_without_making_it(tmp_path: Path) -> None:
    """A free name, one that a gateway left behind, one that is in use, a file, a folder that is not there."""
    free, stale, used, file = (tmp_path / name for name in ("free", "stale", "used", "file"))
    file.touch()
    with socket.socket(socket.AF_UNIX) as left, socket.socket(socket.AF_UNIX) as serving:
        left.bind(str(stale))
        left.close()
        serving.bind(str(used))
        serving.listen()
        found = {path: (await port.look(UnixAddress(str(path)))).errno for path in (free, stale, used, file)}
    assert found == {free: None, stale: None, used: errno.EADDRINUSE, file: errno.EEXIST}
    assert not free.exists()
    assert (await port.look(UnixAddress(str(tmp_path / "none" / "x")))).errno == errno.EACCES
    assert (await port.look(UnixAddress(f"/{'x' * 200}"))).errno == errno.ENAMETOOLONG


def test_a_process_is_found_by_its_sockets(tmp_path: Path) -> None:
    """As Linux tells it; of what cannot be read nothing is told."""
    head = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    )
    listening = (
        "   0: 0100007F:4966 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1\n"
    )
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(head + listening)
    for number, target in (("12", "socket:[777]"), ("13", "/dev/null")):
        (tmp_path / number / "fd").mkdir(parents=True)
        (tmp_path / number / "fd" / "3").symlink_to(target)
    assert listening_process(0x4966, tmp_path) == "12, unknown"
    (tmp_path / "12" / "comm").write_text("nginx\n")
    assert listening_process(0x4966, tmp_path) == "12, nginx"
    assert listening_process(1, tmp_path) is None
    assert listening_process(1, tmp_path / "nothing") is None


# ── certificate ──────────────────────────────────────────────────────────────


def _certificate(folder: Path, begins: datetime.timedelta, ends: datetime.timedelta) -> GatewayConfig:
    """One that holds from *begins* to *ends*, counted from now."""
    now = datetime.datetime.now(datetime.UTC)
    made = trustme.CA().issue_cert("127.0.0.1", not_before=now + begins, not_after=now + ends)
    cert, key = folder / "c.pem", folder / "c.key"
    made.cert_chain_pems[0].write_to_path(cert)
    made.private_key_pem.write_to_path(key)
    key.chmod(0o600)
    return GatewayConfig(tls_cert=str(cert), tls_key=str(key))


@pytest.mark.parametrize(
    ("begins", "ends", "verdict", "says"),
    [
        (-DAY, 90 * DAY + DAY / 2, "well", "c.pem holds for 90 days"),
        (-DAY, 3 * DAY + DAY / 2, "warning", "c.pem expires in 3 days"),
        (-2 * DAY, -DAY, "fault", "c.pem has expired"),
        (DAY, 2 * DAY, "fault", "c.pem is not valid yet"),
    ],
)
def test_a_certificate_is_met_as_a_client_would_meet_it(
    tmp_path: Path, begins: datetime.timedelta, ends: datetime.timedelta, verdict: str, says: str
) -> None:
    """Without a socket, and whoever has signed it."""
    found = certificate.look(_certificate(tmp_path, begins, ends))
    assert found.verdict == verdict
    assert found.text.endswith(says)


def test_a_key_that_others_may_read_is_told(tmp_path: Path) -> None:
    """They could pass for this gateway."""
    config = _certificate(tmp_path, -DAY, 90 * DAY)
    (tmp_path / "c.key").chmod(0o644)
    assert certificate.look(config).text.startswith("others may read the key of ")


def test_a_certificate_that_is_none_is_a_fault() -> None:
    """In the words of `serve`."""
    found = certificate.look(GatewayConfig(tls_cert="/nowhere.pem"))
    assert (found.verdict, found.text) == ("fault", "tls_cert: /nowhere.pem: No such file or directory")


# ── tokens ───────────────────────────────────────────────────────────────────


def _look(path: Path) -> list[Finding]:
    return list(tokens.look(path, is_required=True, is_asked_otherwise=False))


def test_a_tokens_file_is_read_as_a_gateway_reads_it(tmp_path: Path) -> None:
    """One without tokens, one that others may write, one that is none, and none at all."""
    path = tmp_path / "tokens.json"
    assert [each.verdict for each in _look(path)] == ["warning"]
    with editing(path):
        pass
    assert [each.text for each in _look(path)] == [
        f"{path} has no token that holds, so nobody can come in by one"
    ]
    path.chmod(0o666)
    [found] = _look(path)
    assert (found.verdict, found.remedy) == ("fault", "chmod 600 it")
    path.write_text("{}")
    path.chmod(0o600)
    assert [each.verdict for each in _look(path)] == ["fault"]
    assert [each.verdict for each in _look(path / "x")] == ["fault"]


# ── storage ──────────────────────────────────────────────────────────────────


async def test_a_storage_is_looked_at_where_it_is(tmp_path: Path) -> None:
    """In memory, one that is there, one that shall be, one that cannot be."""
    [found] = storage.look("memory:")
    assert found.verdict == "well"
    path = tmp_path / "deep" / "gateway.db"
    first, room = storage.look(f"sqlite:{path}")
    assert first.text == f"{path} will be made at the start"
    assert str(tmp_path) in room.text
    async with opened(path) as opened_storage:
        assert isinstance(opened_storage, SQLiteStorage)
        assert [each.about for each in storage.look(f"sqlite:{path}")] == ["storage", "disk"]
    assert next(storage.look(f"sqlite:{path}")).verdict == "well"
    path.write_text("no database")
    assert next(storage.look(f"sqlite:{path}")).verdict == "fault"


def test_a_folder_that_may_not_be_written_to_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write anywhere, so the system's answer is given."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    first, _ = storage.look(f"sqlite:{tmp_path}/x.db")
    assert first.verdict == "fault"
    assert f"{tmp_path} may not be written to by this user" in first.text


# ── agent ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("spec", "verdict", "remedy"),
    [
        ("echo", "well", ""),
        ("ecko", "fault", "did you mean 'echo'?"),
        ("nix", "fault", "name one with --agent"),
        ("python:nix:nix", "fault", "see whether it can be imported by this Python"),
    ],
)
def test_an_agent_is_loaded_as_serve_loads_it(spec: str, verdict: str, remedy: str) -> None:
    """And what is wrong is told in the same words."""
    found = agent.look(spec)
    assert found.verdict == verdict
    assert (found.remedy or "").startswith(remedy)


async def test_the_endpoint_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows its clock, too."""
    monkeypatch.setenv("BAMBOO_OPENAI_MODEL", "m")
    async with endpoint(status(200, {"data": [{"id": "m"}]}, date="Fri, 15 Jan 2027 08:00:00 GMT")) as script:
        monkeypatch.setenv("OPENAI_BASE_URL", script.url)
        found, date = await agent.look_at_endpoint()
    assert (found.verdict, date) == ("well", 1_800_000_000.0)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    found, date = await agent.look_at_endpoint()
    assert (found.verdict, date) == ("fault", None)


# ── the rest ─────────────────────────────────────────────────────────────────


def test_every_variable_that_is_documented_is_known() -> None:
    """Those of all commands and agents; a few of each are named here."""
    known = set(environment.known_variables(main))
    assert known >= {
        "BAMBOO_BIND",
        "BAMBOO_CONFIG",
        "BAMBOO_DEBUG",
        "BAMBOO_ECHO_WORD_INTERVAL",
        "BAMBOO_OPENAI_MODEL",
        "BAMBOO_RECONNECT",
        "BAMBOO_SESSION",
        "BAMBOO_TOKENS",
        "BAMBOO_URL",
    }


def test_files_that_are_there_have_their_times(tmp_path: Path) -> None:
    """The others have none."""
    path = tmp_path / "x"
    path.touch()
    os.utime(path, (7.0, 7.0))
    assert clock.written_at(iter([path, tmp_path / "none"])) == {str(path): 7.0}


def test_the_limits_are_those_of_this_process() -> None:
    """One connection is always possible."""
    assert descriptors.look(1).verdict == "well"


async def test_the_examination_asks_the_endpoint_of_its_agent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And compares its clock with this one."""
    told: list[Finding] = []
    monkeypatch.setenv("BAMBOO_OPENAI_MODEL", "m")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    values = {name: field.default for name, field in SETTINGS.items()}
    values |= {"agent": "openai", "bind": "127.0.0.1:0", "storage": "memory:"}
    async with endpoint(status(401, {}, date="Fri, 15 Jan 2021 08:00:00 GMT")) as script:
        monkeypatch.setenv("OPENAI_BASE_URL", script.url)
        await examine(Subject(values, [well("settings", "noted")], main), told.append)
    found = {each.about: each for each in told}
    assert found["settings"].text == "noted"
    assert found["endpoint"].verdict == "fault"
    assert "ahead of that of the model endpoint" in found["clock"].text
