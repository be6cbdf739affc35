"""How settings are read: precedence, conversion, and errors that name the setting."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from bamboo_gateway.agents.openai_settings import OPENAI, OpenAISettings
from bamboo_gateway.agents.settings import read_settings, variable
from bamboo_gateway.errors import ConfigError

LOCAL = "http://127.0.0.1:8000/v1"


def read(given: dict[str, object], **environ: str) -> OpenAISettings:
    """Settings with what a test does not care about."""
    return read_settings(OpenAISettings, "openai", {"model": "m", "base_url": LOCAL, **given}, environ)


def test_given_goes_before_environment_before_default() -> None:
    """The nearer to the user's hand, the stronger."""
    environ = {
        "BAMBOO_OPENAI_MAX_ATTEMPTS": "5",
        "BAMBOO_OPENAI_CHUNK_TIMEOUT": "2.5",
        "OPENAI_API_KEY": "key",
    }
    settings = read({"max_attempts": 7}, **environ)
    assert (settings.max_attempts, settings.chunk_timeout, settings.api_key) == (7, 2.5, "key")
    assert settings.connect_timeout == 10.0


def test_an_empty_variable_is_unset() -> None:
    """`VARIABLE= program` is how a shell unsets."""
    assert read({}, BAMBOO_OPENAI_SYSTEM_PROMPT="", BAMBOO_OPENAI_MAX_ATTEMPTS="") == read({})


def test_every_setting_has_a_variable_of_its_own() -> None:
    """No two settings share a variable."""
    variables = [variable("openai", field) for field in attrs.fields(OpenAISettings)]
    assert len(set(variables)) == len(variables)
    assert "BAMBOO_OPENAI_MODEL" in variables
    assert "OPENAI_BASE_URL" in variables


@pytest.mark.parametrize(
    ("given", "environ", "says"),
    [
        ({"modl": "m"}, {}, "agent openai: it has no setting 'modl'; did you mean 'model'?"),
        ({"temperature": 1}, {}, "agent openai: it has no setting 'temperature'"),
        ({}, {"BAMBOO_OPENAI_MAX_ATTEMPTS": "2.5"}, "BAMBOO_OPENAI_MAX_ATTEMPTS: '2.5' is no whole number"),
        ({}, {"BAMBOO_OPENAI_CHUNK_TIMEOUT": "soon"}, "BAMBOO_OPENAI_CHUNK_TIMEOUT: 'soon' is no number"),
        (
            {},
            {"BAMBOO_OPENAI_CHUNK_TIMEOUT": "-1"},
            "agent openai: chunk_timeout: -1.0 is no number of seconds",
        ),
        ({"chunk_timeout": "1"}, {}, "chunk_timeout: '1' is no number of seconds"),
        ({"max_attempts": True}, {}, "max_attempts: True is no whole number"),
        ({"max_attempts": 0}, {}, "max_attempts: 0 is no whole number"),
        ({"history_max_messages": -1}, {}, "history_max_messages: -1 is no whole number from 0"),
        ({"model": ""}, {}, "model: must be a text of at least one character"),
        ({"model": None}, {}, "model: must be a text of at least one character"),
        ({"system_prompt": "\udcff"}, {}, "system_prompt: must be a text"),
        ({"usage": "no"}, {}, "usage: 'no' is no ask or omit"),
    ],
)
def test_a_bad_setting_is_named(given: dict[str, object], environ: dict[str, str], says: str) -> None:
    """The error says which setting, from where, and what it should be."""
    with pytest.raises(ConfigError) as caught:
        read(given, **environ)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "127.0.0.1:8000",
            "ftp://host/v1",
            "http://",
            "http://host:99999/",
            "http://host:0/v1",
            "http://[::1/",
        ),
        *("http://user:hunter2@host/v1", "http://host/v1?key=hunter2", "http://host/v1#hunter2"),
        *(7, None),
    ],
)
def test_a_bad_base_url_is_refused_and_not_repeated(url: object) -> None:
    """It must be a plain address: whatever else is in it may be a secret, and would turn up in logs."""
    with pytest.raises(ConfigError, match="base_url: must be a URL such as http") as caught:
        read({"base_url": url})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("key", ["two words", "new\nline", "schlüssel", 7])
def test_a_bad_key_is_refused_and_not_repeated(key: object) -> None:
    """A key must fit into a header; the error does not show it."""
    with pytest.raises(ConfigError, match="api_key: must be printable ASCII") as caught:
        read({"api_key": key})
    assert str(key) not in str(caught.value)


def test_a_key_from_a_file_loses_its_line_end() -> None:
    """White space around a key is no part of it, and nothing else is no key."""
    assert read({}, OPENAI_API_KEY="key\n").api_key == "key"
    assert read({}, OPENAI_API_KEY=" \n").api_key is None


def test_the_key_is_not_shown() -> None:
    """A key is not in the settings' repr."""
    assert "sk-secret" not in repr(read({"api_key": "sk-secret"}))


def test_openai_itself_wants_a_key() -> None:
    """What would fail at the first chat fails at the start."""
    with pytest.raises(ConfigError, match="api_key: OpenAI wants one; set OPENAI_API_KEY"):
        read({"base_url": OPENAI})


def test_the_key_may_stand_in_a_file(tmp_path: Path) -> None:
    """As systemd and containers hand secrets over."""
    file = tmp_path / "key"
    file.write_text("key\n")
    assert read({}, OPENAI_API_KEY_FILE=str(file)).api_key == "key"
    with pytest.raises(ConfigError, match="OPENAI_API_KEY_FILE"):
        read({}, OPENAI_API_KEY_FILE=str(tmp_path))
