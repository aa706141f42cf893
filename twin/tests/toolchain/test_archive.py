"""An archive of built tools is used in place of a build, where it is what would be built, and checked."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from twin.tests.toolchain.building import Recorded
from twin.toolchain import archive
from twin.toolchain.archive import VARIABLE
from twin.toolchain.cache import Cache
from twin.toolchain.errors import ToolchainError

TOOL, CHARTS = "tool-1.0-0123456789ab", "charts-1-0123456789ab"
WANTED = {TOOL: "tool", CHARTS: "charts"}


@pytest.fixture
def built(tmp_path: Path) -> Cache:
    """A cache with a tool and charts."""
    cache = Cache(tmp_path / "builder")
    for folder, file in ((TOOL, "bin/tool"), (CHARTS, "kueue-1/Chart.yaml")):
        path = cache.tools / folder / file
        path.parent.mkdir(parents=True)
        path.write_text(f"content of {file}")
    (cache.tools / TOOL / "bin/tool").chmod(0o755)
    return cache


@pytest.fixture
def packed(built: Cache, tmp_path: Path) -> archive.Packed:
    """An archive of both."""
    return archive.pack(tmp_path / "tools.tar.gz", [TOOL, CHARTS], built)


@pytest.fixture
def empty(tmp_path: Path) -> Cache:
    """The cache of a machine that has built nothing."""
    return Cache(tmp_path / "user")


def named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)


def test_tools_of_the_archive_are_installed(
    packed: archive.Packed, empty: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, f"{packed.path}#sha256={packed.sha256}")
    archive.unpack(WANTED, empty, Recorded())
    tool = empty.tools / TOOL / "bin/tool"
    assert tool.read_text() == "content of bin/tool"
    assert tool.stat().st_mode & 0o777 == 0o755, "the tool has to run"
    assert (empty.tools / CHARTS / "kueue-1/Chart.yaml").is_file()


def test_digest_is_written_as_sha256sum_reads_it(packed: archive.Packed) -> None:
    line = packed.path.with_name("tools.tar.gz.sha256").read_text()
    assert line == f"{packed.sha256}  tools.tar.gz\n"


def test_archive_names_no_user(packed: archive.Packed) -> None:
    with tarfile.open(packed.path) as content:
        assert {(member.uid, member.uname) for member in content} == {(0, "")}


def test_path_needs_no_digest(packed: archive.Packed, empty: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, str(packed.path))
    archive.unpack(WANTED, empty, Recorded())
    assert (empty.tools / TOOL).is_dir()


def test_tool_of_another_version_or_machine_is_left_for_the_build(
    packed: archive.Packed, empty: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, str(packed.path))
    progress = Recorded()
    archive.unpack({"tool-1.0-another": "tool", CHARTS: "charts"}, empty, progress)
    assert sorted(path.name for path in empty.tools.iterdir()) == [CHARTS], "only what this checkout uses"
    assert any("has no tool" in line for line in progress.lines), "the user learns why it compiles"


def test_installed_tools_need_no_archive(built: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "/nowhere/tools.tar.gz")
    archive.unpack(WANTED, built, Recorded())


def test_another_digest_is_refused_and_nothing_is_installed(
    packed: archive.Packed, empty: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, f"{packed.path}#sha256={'0' * 64}")
    with pytest.raises(ToolchainError, match=f"digest {packed.sha256}, expected 0000"):
        archive.unpack(WANTED, empty, Recorded())
    assert list(empty.tools.iterdir()) == []


def test_truncated_archive_is_refused_and_nothing_is_installed(
    packed: archive.Packed, empty: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed.path.write_bytes(packed.path.read_bytes()[:-40])
    named(monkeypatch, str(packed.path))
    with pytest.raises(ToolchainError, match="cannot be unpacked"):
        archive.unpack(WANTED, empty, Recorded())
    assert list(empty.tools.iterdir()) == []


@pytest.mark.parametrize("name", [f"{TOOL}/../../outside", f"{TOOL}/link"])
def test_members_that_lead_out_of_the_folder_are_refused(
    name: str, empty: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "hostile.tar.gz"
    with tarfile.open(file, "w:gz") as hostile:
        member = tarfile.TarInfo(name)
        if name.endswith("link"):
            member.type, member.linkname = tarfile.SYMTYPE, "/etc"
        hostile.addfile(member, io.BytesIO())
    named(monkeypatch, str(file))
    with pytest.raises(ToolchainError, match="cannot be unpacked"):
        archive.unpack(WANTED, empty, Recorded())
    assert not (empty.root / "outside").exists()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("http://example.com/tools.tar.gz#sha256=" + "a" * 64, "begins with http://"),
        ("file:///tools.tar.gz", "begins with file://"),
        ("https://example.com/tools.tar.gz", "has no digest"),
        ("https://example.com/tools.tar.gz#sha256=abc", "ends in 'sha256=abc'"),
        ("https://example.com/tools.tar.gz#md5=abc", "ends in 'md5=abc'"),
        ("/tools.tar.gz#sha256=" + "A" * 64, "ends in 'sha256=AAAA"),
    ],
)
def test_address_that_cannot_be_checked_is_refused(value: str, problem: str) -> None:
    with pytest.raises(ToolchainError, match=problem) as error:
        archive.named({VARIABLE: value})
    assert "expected a path, or https://HOST/PATH#sha256=DIGEST" in str(error.value)


def test_file_that_does_not_exist_is_named(empty: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "/nowhere/tools.tar.gz")
    with pytest.raises(ToolchainError, match=f"{VARIABLE} names /nowhere/tools.tar.gz, which is no file"):
        archive.unpack(WANTED, empty, Recorded())


def test_folder_that_is_not_built_cannot_be_packed(built: Cache, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="Not built: other-1"):
        archive.pack(tmp_path / "tools.tar.gz", [TOOL, "other-1"], built)
    assert not (tmp_path / "tools.tar.gz").exists()


@contextmanager
def served(content: bytes, status: int = 200) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_archive_is_fetched_from_its_address(
    packed: archive.Packed, empty: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without TLS: the address is checked before.
    with served(packed.path.read_bytes()) as place:
        remote = archive.Archive(f"http://{place}/tools.tar.gz", packed.sha256)
        monkeypatch.setattr(archive.Archive, "is_remote", True)
        monkeypatch.setattr(archive, "named", lambda: remote)
        archive.unpack(WANTED, empty, Recorded())
    assert (empty.tools / TOOL / "bin/tool").is_file()


def test_address_that_answers_with_an_error_is_reported(
    empty: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(b"", status=404) as place:
        remote = archive.Archive(f"http://{place}/tools.tar.gz", "0" * 64)
        monkeypatch.setattr(archive.Archive, "is_remote", True)
        monkeypatch.setattr(archive, "named", lambda: remote)
        with pytest.raises(ToolchainError, match="cannot be fetched: 404"):
            archive.unpack(WANTED, empty, Recorded())
