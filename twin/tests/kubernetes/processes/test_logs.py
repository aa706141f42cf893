"""A container's log."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from twin.kubernetes.processes import logs
from twin.kubernetes.processes.logs import Selection, Writer, read


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "logs" / "0.log"
    writer = Writer(path)
    writer.follow(io.BytesIO(b"first\nsecond \xff\n\nlast"), "stdout")
    writer.close()
    writer = Writer(path)
    writer.follow(io.BytesIO(b"error\n"), "stderr")
    writer.close()
    return path


def lines(file: Path, selection: Selection = Selection()) -> list[bytes]:  # noqa: B008 - immutable
    return list(read(file, selection))


def test_lines_have_the_form_of_the_container_runtime_interface(file: Path) -> None:
    entries = file.read_bytes().splitlines()
    form = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) F .*"
    assert all(re.fullmatch(form, entry) for entry in entries)


def test_a_log_is_read_by_the_options_of_kubectl(file: Path) -> None:
    assert lines(file) == [b"first\n", b"second \xff\n", b"\n", b"last\n", b"error\n"]
    assert lines(file, Selection(tail=2)) == [b"last\n", b"error\n"]
    assert lines(file, Selection(limit_bytes=8)) == [b"first\n", b"se"]
    assert lines(file, Selection(stream="Stderr")) == [b"error\n"]
    assert lines(file, Selection(since=time.time() - 60)) == lines(file)
    assert lines(file, Selection(since=time.time() + 60)) == []
    assert re.fullmatch(rb"\S+Z first\n", lines(file, Selection(timestamps=True))[0])


def test_a_log_is_followed_until_the_container_ends(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_POLL_SECONDS", 0)

    def running() -> Iterator[None]:
        writer = Writer(file)
        writer.follow(io.BytesIO(b"more\n"), "stdout")
        writer.close()
        yield

    assert list(read(file, Selection(tail=1), running())) == [b"error\n", b"more\n"]


def test_a_log_at_its_limit_begins_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LIMIT_BYTES", 200)
    writer = Writer(tmp_path / "0.log")
    writer.follow(io.BytesIO(b"".join(b"line %d\n" % number for number in range(100))), "stdout")
    writer.close()
    assert (tmp_path / "0.log").stat().st_size <= 200
    assert lines(tmp_path / "0.log")[-1] == b"line 99\n"


def test_a_log_that_begins_again_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LIMIT_BYTES", 100)
    monkeypatch.setattr(logs, "_POLL_SECONDS", 0)
    writer = Writer(tmp_path / "0.log")
    writer._line(b"first", "stdout")  # pyright: ignore[reportPrivateUsage]

    def running() -> Iterator[None]:
        for text in (b"second", b"third"):
            writer._line(text, "stdout")  # pyright: ignore[reportPrivateUsage]
            yield

    assert list(read(tmp_path / "0.log", Selection(), running())) == [b"first\n", b"second\n", b"third\n"]
    writer.close()
