"""What labels of an image take from git."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.images.revision import revision_of, without_credentials
from cli.output import CommandError
from tests.cli.images import folders


def test_revision_is_the_commit_and_its_source_has_no_credentials(tmp_path: Path) -> None:
    folder = folders.write(tmp_path)
    folders.git(
        folder, "remote", "add", "origin", "https://x-access-token:s3cret@git.acme.example/ml/models.git"
    )
    revision = revision_of(folder)
    assert revision.commit == folders.git(folder, "rev-parse", "HEAD").strip()
    assert (revision.source, revision.dirty) == ("https://git.acme.example/ml/models.git", False)


@pytest.mark.parametrize("change", ["train.py", "new.py"])
def test_changed_and_new_files_make_a_folder_dirty_but_not_those_of_others(
    tmp_path: Path, change: str
) -> None:
    folder = folders.write(tmp_path)
    (folder.parent / "other.txt").write_text("x")
    assert not revision_of(folder).dirty
    (folder / change).write_text("changed")
    assert revision_of(folder).dirty


def test_folder_without_a_commit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="expected a commit of a repository"):
        revision_of(tmp_path)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("git@git.acme.example:ml/models.git", "git@git.acme.example:ml/models.git"),
        ("ssh://git:pass@git.acme.example:2222/ml.git", "ssh://git.acme.example:2222/ml.git"),
        ("https://git.acme.example/ml.git?token=abc", "https://git.acme.example/ml.git"),
    ],
)
def test_credentials_are_removed_from_addresses(address: str, expected: str) -> None:
    assert without_credentials(address) == expected
