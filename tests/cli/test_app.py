"""Errors that the command line prints as one line, and those that it does not hide."""

from __future__ import annotations

import errno

import pytest

from cli import app as application
from twin.instances import home


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "error: {home}: No space left on device\n"),
        (OSError(errno.EROFS, "Read-only file system", "/x/y"), "error: /x/y: Read-only file system\n"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "/x"), "error: /x: Is a directory\n"),
    ],
)
def test_error_of_a_disk_is_one_line_with_a_path(
    error: OSError, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(application, "app", fail)
    assert application.main() == 1
    assert capsys.readouterr().err == message.format(home=home())


def test_error_that_is_none_of_a_disk_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(application, "app", fail)
    with pytest.raises(OSError, match="Bad file descriptor"):
        application.main()
