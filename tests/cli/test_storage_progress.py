from __future__ import annotations

from structlog.testing import capture_logs

from bamboo_gateway.cli.storage_progress import StorageProgress
from bamboo_gateway.storage.sqlite_schema import MigrationStep


def test_it_is_logged_that_a_file_is_brought_forward() -> None:
    """Once when it begins, for it may take a while, and once when it is done."""
    with capture_logs() as logs, StorageProgress() as progress:
        for done in range(4):
            progress(MigrationStep(1, 2, done, 3))
    assert [(log["event"], log["from_version"], log["to_version"]) for log in logs] == [
        ("bringing the storage forward", 1, 2),
        ("the storage is brought forward", 1, 2),
    ]


def test_it_may_fail_in_the_midst() -> None:
    """What is shown is taken away."""
    with capture_logs() as logs, StorageProgress() as progress:
        progress(MigrationStep(1, 2, 0, 3))
    assert len(logs) == 1
