"""The Pulumi CLI of a deployment: nothing is unpacked whose checksum is not the expected one."""

from __future__ import annotations

import hashlib
import io
import tarfile
import tomllib
from pathlib import Path

import pytest

from tools import install_pulumi

NAME = "pulumi-v9.9.9-linux-x64.tar.gz"
PINNED = '[pulumi]\nversion = "9.9.9"\nminimum = "9.0.0"\n\n[go]\nminimum = "1"\n'


def _archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as members:
        member = tarfile.TarInfo("pulumi/pulumi")
        member.size = 4
        members.addfile(member, io.BytesIO(b"tool"))
    return buffer.getvalue()


class Web:
    """What get.pulumi.com and GitHub serve."""

    def __init__(self) -> None:
        self.content = _archive()
        self.checksum = hashlib.sha256(self.content).hexdigest()
        self.asked: list[str] = []

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        if url.endswith("/pulumi-9.9.9-checksums.txt"):
            return f"{self.checksum}  {NAME}\n{'0' * 64}  pulumi-v9.9.9-windows-x64.zip\n".encode()
        assert url == f"https://get.pulumi.com/releases/sdk/{NAME}"
        return self.content


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Web:
    web = Web()
    monkeypatch.setattr(install_pulumi, "fetch", web.fetch)
    monkeypatch.setattr(install_pulumi, "VERSIONS", tmp_path / "versions.toml")
    monkeypatch.setattr(install_pulumi.sys, "platform", "linux")
    monkeypatch.setattr(install_pulumi.platform, "machine", lambda: "x86_64")
    (tmp_path / "versions.toml").write_text(PINNED)
    return web


def test_a_release_is_checked_against_the_list_of_another_place(web: Web, tmp_path: Path) -> None:
    assert install_pulumi.main([str(tmp_path / "there")]) == 0
    assert (tmp_path / "there" / "pulumi" / "pulumi").read_bytes() == b"tool"
    assert {url.split("/")[2] for url in web.asked} == {"github.com", "get.pulumi.com"}


def test_an_archive_that_is_not_the_published_one_is_not_unpacked(
    web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    web.content = b"another"
    assert install_pulumi.main([str(tmp_path / "there")]) == 1
    assert not (tmp_path / "there").exists()
    assert f"expected {web.checksum}; nothing was installed" in capsys.readouterr().err


def test_a_recorded_checksum_decides_and_nothing_else_is_asked(web: Web, tmp_path: Path) -> None:
    assert install_pulumi.main(["--record"]) == 0
    web.asked.clear()
    assert install_pulumi.main([str(tmp_path / "there")]) == 0
    assert [url.split("/")[2] for url in web.asked] == ["get.pulumi.com"]
    web.content, web.checksum = b"another", hashlib.sha256(b"another").hexdigest()
    assert install_pulumi.main([str(tmp_path / "elsewhere")]) == 1, "the list was changed with the archive"


def test_recording_keeps_the_rest_and_can_be_repeated(web: Web, tmp_path: Path) -> None:
    install_pulumi.record()
    once = (tmp_path / "versions.toml").read_text()
    install_pulumi.record()
    assert (tmp_path / "versions.toml").read_text() == once
    document = tomllib.loads(once)
    assert document["pulumi"] == {
        "version": "9.9.9",
        "minimum": "9.0.0",
        "sha256": {NAME: web.checksum},
    }, "of Linux and macOS, which the bootstrap knows"
    assert document["go"] == {"minimum": "1"}


def test_checksums_of_another_version_are_an_error_that_names_the_command(
    web: Web, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install_pulumi.record()
    file = tmp_path / "versions.toml"
    file.write_text(file.read_text().replace('version = "9.9.9"', 'version = "9.9.10"'))
    assert install_pulumi.main([str(tmp_path / "there")]) == 1
    assert "--record" in capsys.readouterr().err
    assert not web.asked[1:], "nothing was fetched"


@pytest.mark.parametrize(("system", "machine"), [("win32", "AMD64"), ("linux", "riscv64")])
def test_a_machine_without_an_archive_is_named(
    web: Web, monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    monkeypatch.setattr(install_pulumi.sys, "platform", system)
    monkeypatch.setattr(install_pulumi.platform, "machine", lambda: machine)
    with pytest.raises(install_pulumi.InstallError, match=machine):
        install_pulumi.archive("9.9.9")
