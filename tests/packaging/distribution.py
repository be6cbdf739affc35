"""The wheel and the sdist, as hatchling builds them from a folder, and what is in them."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

import attrs

EPOCH = "1700000000"
"""The time that all files of a build get."""


@attrs.frozen
class Distribution:
    """What `make`, or an index, would be given."""

    wheel: Path
    sdist: Path

    def wheel_files(self) -> Mapping[str, bytes]:
        """The files of the wheel by their names."""
        with zipfile.ZipFile(self.wheel) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def sdist_files(self) -> Mapping[str, bytes]:
        """The files of the sdist by their names, without the folder that all of them are in."""
        with tarfile.open(self.sdist) as archive:
            opened = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
            return {name.partition("/")[2]: file.read() for name, file in opened.items() if file is not None}

    def metadata(self) -> Message:
        """What the wheel says of itself."""
        files = self.wheel_files()
        [name] = [name for name in files if name.endswith(".dist-info/METADATA")]
        return BytesParser().parsebytes(files[name])


def build(source: Path, folder: Path, *, umask: int = 0o022) -> Distribution:
    """Build both of *source* into *folder*, with the tools of this environment and no others."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder)],
        cwd=source,
        env=os.environ | {"SOURCE_DATE_EPOCH": EPOCH},
        umask=umask,
        capture_output=True,
        check=True,
    )
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Distribution(wheel, sdist)
