from __future__ import annotations

from pathlib import Path

import pytest

from bamboo_gateway.errors import ConfigError
from bamboo_gateway.secret_file import MAX_BYTES, read_secret


def test_the_variable_or_the_file(tmp_path: Path) -> None:
    """Either will do; the end of the file's line is no part of it; empty counts as unset."""
    file = tmp_path / "secret"
    file.write_text("sesame\n")
    assert read_secret("KEY", {"KEY": "open"}) == "open"
    assert read_secret("KEY", {"KEY_FILE": str(file)}) == "sesame"
    assert read_secret("KEY", {"KEY": "", "KEY_FILE": str(file)}) == "sesame"
    assert read_secret("KEY", {"KEY": "open", "KEY_FILE": ""}) == "open"
    assert read_secret("KEY", {"KEY": "", "KEY_FILE": ""}) is None
    assert read_secret("KEY", {}) is None


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe", b"sesame" * MAX_BYTES])
def test_a_file_of_no_use_is_named(tmp_path: Path, content: bytes) -> None:
    """One that is empty, no text or no secret: the error says where, and nothing of what it holds."""
    file = tmp_path / "secret"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=f"KEY_FILE: {file}: it ") as caught:
        read_secret("KEY", {"KEY_FILE": str(file)})
    assert "sesame" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """As is one that may not be read."""
    with pytest.raises(ConfigError, match=r"KEY_FILE: .*none: No such file"):
        read_secret("KEY", {"KEY_FILE": str(tmp_path / "none")})


def test_two_are_one_too_many() -> None:
    """Nobody shall wonder which of them holds; neither is repeated."""
    with pytest.raises(ConfigError, match="KEY and KEY_FILE are both set") as caught:
        read_secret("KEY", {"KEY": "sesame", "KEY_FILE": "/run/secret"})
    assert "sesame" not in str(caught.value)
