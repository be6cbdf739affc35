from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bamboo_gateway.cli import main
from tests.cli.process import ROOT, environment


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_ends_with_where_to_put_it(shell: str) -> None:
    """In the shell's own words; all else is what the shell runs."""
    result = CliRunner().invoke(main, ["completion", shell])
    assert (result.exit_code, result.stderr) == (0, "")
    script, _, last = result.stdout.rstrip().rpartition("\n")
    assert "_BAMBOO_GATEWAY_COMPLETE" in script
    assert last.startswith("# ")
    assert f"bamboo-gateway completion {shell}" in last


def test_another_shell_is_none_that_it_knows() -> None:
    """It names those that there are."""
    result = CliRunner().invoke(main, ["completion", "tcsh"])
    assert result.exit_code == 2
    assert "'bash', 'zsh', 'fish'" in result.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("bamboo-gateway do", "doctor"),
        ("bamboo-gateway sessions ex", "export"),
        ("bamboo-gateway serve --max-connections-per", "--max-connections-per-principal"),
        ("bamboo-gateway serve --log-format j", "json"),
    ],
)
def test_bash_completes_by_it(typed: str, offered: str, tmp_path: Path) -> None:
    """Commands, their parts, options, and values of which there are but a few."""
    program = tmp_path / "bamboo-gateway"
    program.write_text(f"#!{sys.executable}\nfrom bamboo_gateway.cli import main\nmain()\n")
    program.chmod(0o755)
    words = typed.split()
    asks = (
        'eval "$(bamboo-gateway completion bash)"; '
        f"COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; "
        'f=$(complete -p bamboo-gateway | grep -o "_[a-z_]*completion"); '
        '$f bamboo-gateway; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    env = environment({"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)})
    ran = subprocess.run(["bash", "-c", asks], env=env, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [offered]
