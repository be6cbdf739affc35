"""What each check makes of what was seen; pure, so by equality."""

from __future__ import annotations

import errno
import resource
from pathlib import Path

import pytest

from bamboo_gateway import GatewayConfig
from bamboo_gateway.agents.openai_settings import OpenAISettings
from bamboo_gateway.agents.openai_survey import OpenAISurvey
from bamboo_gateway.cli.doctor import (
    agent,
    certificate,
    clock,
    descriptors,
    environment,
    exposure,
    port,
    storage,
    tokens,
    versions,
)
from bamboo_gateway.cli.doctor.certificate import CertificateSurvey
from bamboo_gateway.cli.doctor.finding import Finding, Verdict, fault, warning, well
from bamboo_gateway.cli.doctor.port import PortSurvey
from bamboo_gateway.cli.doctor.versions import Requirement
from bamboo_gateway.config import Address, UnixAddress
from bamboo_gateway.storage.sqlite_survey import SQLiteSurvey
from bamboo_gateway.token_record import TokenRecord

NOW = 1_800_000_000.0

DAY = 86_400.0


def brief(finding: Finding) -> tuple[Verdict, str]:
    """Without how to mend it, which all have that are not well."""
    assert (finding.remedy is None) == (finding.verdict == "well")
    return finding.verdict, finding.text


# ── versions ─────────────────────────────────────────────────────────────────


def test_requirements_are_those_of_the_extras_in_use() -> None:
    """As the metadata of a package writes them."""
    lines = [
        "trio>=0.31",
        "click >= 8.2",
        "h11",
        'httpx>=0.28; extra == "openai"',
        "pytest>=9; extra == 'dev'",
        'bamboo-gateway[bench,debug]; extra == "dev"',
    ]
    plain = [Requirement("trio", "0.31"), Requirement("click", "8.2"), Requirement("h11")]
    assert list(versions.requirements(lines)) == plain
    assert list(versions.requirements(lines, frozenset({"openai"}))) == [*plain, Requirement("httpx", "0.28")]


def test_a_library_that_is_old_or_missing_is_a_fault() -> None:
    """With the command that installs it; 0.9 is older than 0.31."""
    needed = [Requirement("trio", "0.31"), Requirement("rich", "13.8"), Requirement("h11")]
    assert list(versions.judge(needed, {"trio": "0.9", "rich": None, "h11": "0.1"})) == [
        fault("versions", "trio 0.9 is older than 0.31", "pip install --upgrade 'trio>=0.31'"),
        fault("versions", "rich is not installed", "pip install 'rich>=13.8'"),
    ]
    assert list(versions.judge([Requirement("h11")], {"h11": None})) == [
        fault("versions", "h11 is not installed", "pip install 'h11'")
    ]


def test_versions_are_told_where_all_is_well() -> None:
    """Those that somebody would ask for who is told of a bug; a release candidate counts as its release."""
    [found] = versions.judge(
        [Requirement("trio", "0.31"), Requirement("h11")], {"trio": "0.31rc1", "h11": "1"}
    )
    assert found.verdict == "well"
    assert found.text.startswith("bamboo-gateway ")
    assert found.text.endswith(", trio 0.31rc1")


def test_what_is_installed_here_will_do() -> None:
    """Or no test would run."""
    assert [found.verdict for found in versions.look(frozenset({"openai"}))] == ["well"]


# ── environment ──────────────────────────────────────────────────────────────


def test_a_variable_that_nobody_reads_is_told_with_the_nearest() -> None:
    """Others' variables are none of ours."""
    known = ["BAMBOO_BIND", "BAMBOO_TOKEN"]
    assert list(environment.judge(["HOME", "BAMBOO_BIND", "BAMBOO_TOKN", "BAMBOO_X"], known)) == [
        warning(
            "environment",
            "nothing reads BAMBOO_TOKN; did you mean 'BAMBOO_TOKEN'?",
            "put its name right, or take it away: unset BAMBOO_TOKN",
        ),
        warning(
            "environment", "nothing reads BAMBOO_X", "put its name right, or take it away: unset BAMBOO_X"
        ),
    ]


def test_an_environment_without_oddities_is_well() -> None:
    """With ours, or with none of them."""
    assert list(environment.judge(["BAMBOO_BIND"], ["BAMBOO_BIND"])) == [
        well("environment", "1 variable for the gateway")
    ]
    assert list(environment.judge(["HOME"], [])) == [well("environment", "no variables for the gateway")]


# ── port ─────────────────────────────────────────────────────────────────────

ADDRESS = Address("127.0.0.1", 18790)


@pytest.mark.parametrize(
    ("address", "found", "verdict", "says"),
    [
        (Address("::1", 0), PortSurvey(), "well", "[::1]:0: the system chooses a free one"),
        (ADDRESS, PortSurvey(), "well", "127.0.0.1:18790 is free"),
        (
            ADDRESS,
            PortSurvey(errno=errno.EADDRINUSE, server="0.9", process="7, python"),
            "warning",
            "a bamboo-gateway 0.9 listens on 127.0.0.1:18790 already (process 7, python)",
        ),
        (
            ADDRESS,
            PortSurvey(errno=errno.EADDRINUSE, process="8, nginx"),
            "fault",
            "something else listens on 127.0.0.1:18790 (process 8, nginx)",
        ),
        (
            ADDRESS,
            PortSurvey(errno=errno.EADDRINUSE),
            "fault",
            "something else listens on 127.0.0.1:18790",
        ),
        (
            ADDRESS,
            PortSurvey(errno=errno.EACCES, reason="Permission denied"),
            "fault",
            "127.0.0.1:18790 cannot be listened on: Permission denied",
        ),
    ],
)
def test_a_port_is_free_or_it_is_told_who_has_it(
    address: Address, found: PortSurvey, verdict: Verdict, says: str
) -> None:
    """One gateway that is there already may well be the one that is meant."""
    assert brief(port.judge(address, found)) == (verdict, says)


@pytest.mark.parametrize(
    ("address", "number", "remedy"),
    [
        (Address("127.0.0.1", 80), errno.EACCES, "ports below 1024 are the administrator's"),
        (Address("10.0.0.1", 1), errno.EADDRNOTAVAIL, "this machine has no such address"),
        (UnixAddress("/x/y"), errno.EACCES, "choose a path whose folder is there"),
        (Address("nobody.invalid", 1), -2, "see whether --bind names this machine"),
    ],
)
def test_why_a_port_cannot_be_had_says_what_to_do(
    address: Address | UnixAddress, number: int, remedy: str
) -> None:
    """By what the system said."""
    assert (port.judge(address, PortSurvey(errno=number)).remedy or "").startswith(remedy)


# ── who may come ─────────────────────────────────────────────────────────────

LONG = "a token that is long enough"


@pytest.mark.parametrize(
    ("config", "asks_who", "found"),
    [
        (
            GatewayConfig(),
            False,
            ("well", "127.0.0.1:18790 is this machine's alone; nobody is asked for a token"),
        ),
        (
            GatewayConfig(bind="unix:/run/x"),
            True,
            ("well", "whoever may open /run/x reaches it; everybody has to show a token"),
        ),
        (
            GatewayConfig(bind="0.0.0.0:1"),
            False,
            ("fault", "bind: 0.0.0.0:1 can be reached from other machines, and no token is asked for"),
        ),
        (
            GatewayConfig(bind="0.0.0.0:1", auth_token=LONG),
            True,
            (
                "warning",
                "0.0.0.0:1 can be reached from other machines, without TLS: all can be read on the way",
            ),
        ),
        (
            GatewayConfig(bind="0.0.0.0:1", auth_token=LONG, trusted_proxies=("10.0.0.1",)),
            True,
            ("well", "0.0.0.0:1 can be reached from others; everybody has to show a token"),
        ),
        (
            GatewayConfig(bind="0.0.0.0:1", insecure_no_auth=True, tls_cert="x"),
            False,
            ("warning", "whoever reaches 0.0.0.0:1 may do everything (insecure_no_auth)"),
        ),
        (
            GatewayConfig(bind="0.0.0.0:1", tls_cert="x"),
            True,
            ("well", "0.0.0.0:1 can be reached from others; everybody has to show a token"),
        ),
    ],
)
def test_who_may_come_is_judged_by_where_it_listens(
    config: GatewayConfig, asks_who: bool, found: tuple[Verdict, str]
) -> None:
    """What stands open is told, and what `serve` would refuse is a fault."""
    assert [brief(each) for each in exposure.judge(config, asks_who=asks_who)] == [found]


def test_a_short_token_is_told() -> None:
    """And not shown."""
    first, _ = exposure.judge(GatewayConfig(auth_token="sesame"), asks_who=True)
    assert brief(first) == ("warning", "auth_token has 6 characters, and may be guessed")


# ── certificate ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("found", "verdict", "says"),
    [
        (CertificateSurvey(validity="valid", expires_at=NOW + 90.5 * DAY), "well", "c.pem holds for 90 days"),
        (
            CertificateSurvey(validity="valid", expires_at=NOW + 3.5 * DAY),
            "warning",
            "c.pem expires in 3 days",
        ),
        (CertificateSurvey(validity="valid"), "well", "c.pem can be used"),
        (CertificateSurvey(validity="expired"), "fault", "c.pem has expired"),
        (CertificateSurvey(validity="not yet valid"), "fault", "c.pem is not valid yet"),
        (
            CertificateSurvey(validity="valid", is_key_open=True),
            "warning",
            "others may read the key of c.pem",
        ),
    ],
)
def test_a_certificate_is_judged_by_its_days(found: CertificateSurvey, verdict: Verdict, says: str) -> None:
    """Two weeks before its end somebody should know."""
    assert brief(certificate.judge("c.pem", found, NOW)) == (verdict, says)


# ── tokens ───────────────────────────────────────────────────────────────────


def record(token_id: str, expires_at: int | None = None) -> TokenRecord:
    """A token of somebody."""
    return TokenRecord(
        token_id, "ann", frozenset(), "sha256:" + "0" * 64, created_at=0, expires_at=expires_at
    )


@pytest.mark.parametrize(
    ("records", "mode", "found"),
    [
        ([record("a"), record("b")], 0o600, [("well", "t.json has 2 tokens")]),
        ([record("a"), record("b", 1)], 0o600, [("warning", "1 of 2 tokens in t.json have expired: b")]),
        (
            [record("b", 1)],
            0o600,
            [("warning", "t.json has no token that holds, so nobody can come in by one")],
        ),
        ([], 0o600, [("warning", "t.json has no token that holds, so nobody can come in by one")]),
        (
            [record("a")],
            0o644,
            [
                (
                    "warning",
                    "others may read t.json: no token can be made of it, but it names your users",
                ),
                ("well", "t.json has 1 token"),
            ],
        ),
    ],
)
def test_tokens_are_counted_and_those_that_are_over_named(
    records: list[TokenRecord], mode: int, found: list[tuple[Verdict, str]]
) -> None:
    """And the modes of the file are looked at."""
    assert [brief(each) for each in tokens.judge(Path("t.json"), records, mode, NOW)] == found


@pytest.mark.parametrize(
    ("is_required", "is_asked_otherwise", "verdict"),
    [(False, False, "well"), (True, False, "warning"), (True, True, "well")],
)
def test_no_tokens_file_matters_where_it_is_the_only_way_in(
    is_required: bool, is_asked_otherwise: bool, verdict: Verdict
) -> None:
    """Else it is one way less."""
    found = tokens.absent(Path("t"), is_required=is_required, is_asked_otherwise=is_asked_otherwise)
    assert found.verdict == verdict


# ── storage ──────────────────────────────────────────────────────────────────

FILE = Path("/data/gateway.db")


@pytest.mark.parametrize(
    ("found", "verdict", "says"),
    [
        (SQLiteSurvey(path=FILE, size_bytes=12_000, version=2), "well", "(12 kB) is whole, and of version 2"),
        (SQLiteSurvey(path=FILE, holder="7"), "warning", "a gateway uses /data/gateway.db (0 B): process 7"),
        (
            SQLiteSurvey(path=FILE, version=1, is_older=True),
            "warning",
            "will be brought forward at the start",
        ),
        (
            SQLiteSurvey(path=FILE, version=2, was_cut_short=True),
            "warning",
            "no fault was found in 10 seconds",
        ),
    ],
)
def test_a_file_of_sessions_is_told_as_it_is(found: SQLiteSurvey, verdict: Verdict, says: str) -> None:
    """What is damaged or another's never comes so far."""
    finding = storage.judge(found)
    assert finding.verdict == verdict
    assert says in finding.text


@pytest.mark.parametrize(("free", "verdict"), [(10**7, "fault"), (10**8, "warning"), (10**10, "well")])
def test_a_disk_has_room_or_has_not(free: int, verdict: Verdict) -> None:
    """For a day at least."""
    assert storage.judge_room(Path("/data"), free).verdict == verdict


# ── the agent's endpoint ─────────────────────────────────────────────────────

SETTINGS = OpenAISettings(model="m", base_url="http://x/v1", api_key="k")


@pytest.mark.parametrize(
    ("found", "verdict", "says"),
    [
        (OpenAISurvey(status=200, models=["m"]), "well", "http://x/v1 answers, and takes the key"),
        (OpenAISurvey(status=200), "well", "http://x/v1 answers, and takes the key"),
        (OpenAISurvey(status=200, models=["n"]), "warning", "http://x/v1 does not list the model 'm'"),
        (
            OpenAISurvey(status=401, is_key_refused=True),
            "fault",
            "http://x/v1 does not take the key (HTTP 401)",
        ),
        (
            OpenAISurvey(status=404),
            "well",
            "http://x/v1 answers; it lists no models, so whether it takes the key is not known",
        ),
        (OpenAISurvey(status=429), "warning", "http://x/v1 answers that it was asked too much"),
        (OpenAISurvey(status=500), "warning", "http://x/v1 answers with HTTP 500"),
    ],
)
def test_an_endpoint_is_judged_by_its_answer(found: OpenAISurvey, verdict: Verdict, says: str) -> None:
    """Whether it takes the key is what one wants to know."""
    assert brief(agent.judge(SETTINGS, found)) == (verdict, says)


def test_of_many_models_some_are_named() -> None:
    """An endpoint may have hundreds."""
    found = agent.judge(SETTINGS, OpenAISurvey(status=200, models=[f"m{n}" for n in range(9)]))
    assert found.remedy == "set BAMBOO_OPENAI_MODEL to one that it has: m0, m1, m2, m3, m4, …"


# ── clock and descriptors ────────────────────────────────────────────────────


def test_a_clock_that_nothing_contradicts_is_well() -> None:
    """It is told in UTC, so that one can compare it with one's watch."""
    assert list(clock.judge(NOW, {"a": NOW - 9e9, "b": NOW + 59}, NOW - 59)) == [
        well("clock", "2027-01-15 08:00 UTC, and nothing says otherwise")
    ]


def test_a_clock_is_wrong_where_files_are_from_the_future() -> None:
    """Or where another's is far away; each is told."""
    assert [brief(each) for each in clock.judge(NOW, {"a": NOW + 7200}, NOW - 3600)] == [
        ("warning", "a was written 2 h from now"),
        ("warning", "it is 1 h ahead of that of the model endpoint"),
    ]
    assert [brief(each) for each in clock.judge(NOW, {}, NOW + 3600)] == [
        ("warning", "it is 1 h behind that of the model endpoint")
    ]


UNLIMITED = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("most", "soft", "hard", "verdict", "remedy"),
    [
        (1000, UNLIMITED, UNLIMITED, "well", ""),
        (1000, 1064, 1064, "well", ""),
        (1000, 1024, 4096, "warning", "ulimit -n 1064 (systemd: LimitNOFILE=1064)"),
        (1000, 1024, UNLIMITED, "warning", "ulimit -n 1064 "),
        (10_000, 1024, 4096, "warning", "have an administrator raise it to 10064"),
        (0, 1024, 4096, "warning", "set max_connections"),
    ],
)
def test_descriptors_are_enough_for_all_clients(
    most: int, soft: int, hard: int, verdict: Verdict, remedy: str
) -> None:
    """Or it is told how many there should be, and how."""
    found = descriptors.judge(most, soft, hard)
    assert found.verdict == verdict
    assert (found.remedy or "").startswith(remedy)
