from __future__ import annotations

import json
import re
import stat
import tomllib
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner, Result

from bamboo_gateway.cli import config_file, main
from bamboo_gateway.cli.settings import OPTIONS, SETTINGS
from bamboo_gateway.cli.settings_template import template
from bamboo_gateway.token_record import TokenRecord
from tests.cli.probe import probe

SECRET = "a token of great worth"

DIGEST = "sha256:" + "0" * 64

FILE = f"""
bind = "127.0.0.1:1"
auth_token = "{SECRET}"
allowed_origins = ["https://a.example", "https://b.example"]
drain_timeout = "2m"

[[principals]]
id = "1a2b3c4d"
user_id = "ann"
scopes = ["chat"]
digest = "{DIGEST}"
"""


def invoke(*args: str, env: dict[str, str] | None = None) -> Result:
    """Run a part of `config`."""
    return CliRunner().invoke(main, ["config", *args], env=env)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A settings file of each kind of value."""
    path = tmp_path / "bamboo.toml"
    path.write_text(FILE)
    return path


# ── show ─────────────────────────────────────────────────────────────────────


def test_show_tells_where_each_setting_comes_from(file: Path) -> None:
    """What is typed goes before the environment, that before the file; the rest is at its default."""
    env = {"BAMBOO_BIND": "127.0.0.1:2", "BAMBOO_MESSAGE_RATE": "7", "BAMBOO_HEAD_TIMEOUT": ""}
    result = invoke("show", "--json", "--config", str(file), "--bind", "127.0.0.1:3", env=env)
    assert result.exit_code == 0, result.stderr
    shown = json.loads(result.stdout)
    assert list(shown) == list(SETTINGS)
    changed = {name: each for name, each in shown.items() if each["from"] != "default"}
    assert changed == {
        "bind": {"value": "127.0.0.1:3", "from": "typed", "where": "--bind"},
        "message_rate": {"value": 7.0, "from": "environment", "where": "BAMBOO_MESSAGE_RATE"},
        "auth_token": {"value": "***", "from": "file", "where": str(file)},
        "principals": {"value": "***", "from": "file", "where": str(file)},
        "allowed_origins": {
            "value": ["https://a.example", "https://b.example"],
            "from": "file",
            "where": str(file),
        },
        "drain_timeout": {"value": "2m", "from": "file", "where": str(file)},
    }
    assert shown["head_timeout"] == {"value": "5s", "from": "default", "where": None}


@pytest.mark.parametrize("form", [(), ("--json",), ("--toml",)])
def test_show_tells_no_secret(file: Path, form: tuple[str, ...]) -> None:
    """Whatever the form: neither the token nor what is stored of one."""
    result = invoke("show", "--config", str(file), *form)
    assert result.exit_code == 0
    assert SECRET not in result.stdout
    assert DIGEST not in result.stdout


def test_show_is_a_line_for_each_setting(file: Path) -> None:
    """In columns; of a default nothing is said but its value."""
    lines = invoke("show", "--config", str(file), "--insecure-no-auth").stdout.splitlines()
    assert len(lines) == len(SETTINGS)
    shown = {line.split()[0]: re.split(r"  +", line)[1:] for line in lines}
    assert shown["bind"] == ["127.0.0.1:1", f"from {file}"]
    assert shown["auth_token"] == ["***", f"from {file}"]
    assert shown["insecure_no_auth"] == ["true", "typed as --insecure-no-auth"]
    assert shown["allowed_origins"] == ["https://a.example, https://b.example", f"from {file}"]
    assert shown["drain_timeout"] == ["2m", f"from {file}"]
    assert shown["tls_cert"] == ["–"]
    assert shown["max_connections"] == ["1000"]


def test_show_tells_of_a_secret_that_is_in_a_file(tmp_path: Path) -> None:
    """Which variable names it, and not what is in it."""
    path = tmp_path / "secret"
    path.write_text(SECRET)
    result = invoke("show", "--changed", env={"BAMBOO_AUTH_TOKEN_FILE": str(path)})
    assert result.stdout == "auth_token  ***  from BAMBOO_AUTH_TOKEN_FILE\n"


def test_show_can_leave_the_defaults_out() -> None:
    """So that a page of them does not hide what somebody has set."""
    result = invoke("show", "--changed", "--max-connections", "5")
    assert result.stdout == "max_connections  5  typed as --max-connections\n"
    result = invoke("show", "--changed")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "every setting is at its default\n"


def test_what_show_writes_as_toml_is_a_settings_file(file: Path, tmp_path: Path) -> None:
    """Read back, it comes to the same, but for the secrets: they are comments."""
    file.write_text(FILE.partition("[[")[0])
    args = ("--session-max-age", "1234567.25", "--tls-cert", 'a"\x7fb\\c', "--tls-key", "k")
    result = invoke("show", "--toml", "--config", str(file), *args)
    assert result.exit_code == 0, result.stderr
    again = tmp_path / "again.toml"
    again.write_text(result.stdout)
    assert probe("--config", str(again)) == probe("--config", str(file), *args) | {"auth_token": None}
    assert f'# auth_token = "***"  # from {file}' in result.stdout.splitlines()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--tls-key", "k"), "tls_key: a key alone is of no use; set tls_cert, too"),
        (("--bind", "nowhere"), "'nowhere' is no HOST:PORT"),
        (("--json", "--toml"), "--json and --toml are two ways to write it; say one"),
    ],
)
def test_show_refuses_what_serve_would_refuse(args: tuple[str, ...], says: str) -> None:
    """One line, exit code 2."""
    result = invoke("show", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


# ── init ─────────────────────────────────────────────────────────────────────


def test_what_init_writes_changes_nothing(tmp_path: Path) -> None:
    """Read by `serve --config`, every setting is at its default."""
    path = tmp_path / "new.toml"
    result = invoke("init", str(path))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{path} is written; start with it: bamboo-gateway serve --config {path}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert config_file.read(path) == {}
    assert probe("--config", str(path)) == probe()


def test_init_names_every_default(tmp_path: Path) -> None:
    """With the # of each taken away, every setting is as it was; where there is no default, it shows one."""
    text = re.sub(r"^#(?=\w+ = )", "", template().partition("\n#[[")[0], flags=re.MULTILINE)
    path = tmp_path / "all.toml"
    path.write_text(text)
    assert list(tomllib.loads(text)) == list(OPTIONS)
    without = {name: field.default for name, field in OPTIONS.items() if field.default is not None}
    found = {name: value for name, value in config_file.read(path).items() if name in without}
    assert {name: tuple(each) if isinstance(each, list) else each for name, each in found.items()} == without
    assert probe("--config", str(path)) != probe()


def test_init_explains_every_setting() -> None:
    """In lines that a terminal can show; what has to wait for a restart, and what 0 does, is said."""
    text = template()
    assert max(map(len, text.splitlines())) <= 100
    prose = " ".join(line.removeprefix("#").strip() for line in text.splitlines())
    for field in OPTIONS.values():
        it = next(iter(field.metadata.values()))
        assert it.meaning in prose
    assert prose.count("0 switches it off.") == sum(
        next(iter(field.metadata.values())).can_be_off for field in OPTIONS.values()
    )


def test_the_entry_of_a_token_in_it_has_the_form_of_one(tmp_path: Path) -> None:
    """With a digest in the place of the words."""
    entry = template().partition("#[[")[2].replace("\n#", "\n")
    path = tmp_path / "tokens.toml"
    path.write_text("[[" + re.sub(r'digest = ".*"', f'digest = "{DIGEST}"', entry))
    [record] = cast(tuple[TokenRecord], config_file.read(path)["principals"])
    assert (record.user_id, record.id) == ("ann", "1a2b3c4d")


def test_init_writes_over_nothing_unless_it_is_told_to(tmp_path: Path) -> None:
    """A file that is there is somebody's work."""
    path = tmp_path / "mine.toml"
    path.write_text("bind = '127.0.0.1:1'\n")
    result = invoke("init", env={"BAMBOO_CONFIG": str(path)})
    assert result.exit_code == 1
    assert result.stderr == (
        f"bamboo-gateway: {path} is there already; name another file, or write over it with --force\n"
    )
    assert path.read_text() == "bind = '127.0.0.1:1'\n"
    path.chmod(0o644)
    assert invoke("init", "--force", str(path)).exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == template()


def test_init_writes_to_stdout_as_well() -> None:
    """For a pipe."""
    assert invoke("init", "-").stdout == template()


def test_init_tells_where_it_cannot_write(tmp_path: Path) -> None:
    """One line, with the folder."""
    result = invoke("init", str(tmp_path / "none" / "x.toml"))
    assert result.exit_code == 1
    assert "No such file or directory; see whether its folder is there" in result.stderr
