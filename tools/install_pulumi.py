"""Install the Pulumi CLI that twin/toolchain/versions.toml pins, after a check of its SHA-256.

    python3 tools/install_pulumi.py FOLDER      # FOLDER/pulumi contains the CLI and its language hosts
    python3 tools/install_pulumi.py --record    # write the checksums of the pinned release into versions.toml

The expected checksum is that of versions.toml. Where it has none, it is that of the release's list on GitHub;
the archive comes from get.pulumi.com, so that a change on one of the two servers is detected, and on both is
not. For CI, before any package is installed: uses only the standard library.
"""

from __future__ import annotations

import hashlib
import io
import platform
import re
import sys
import tarfile
import time
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

VERSIONS = Path(__file__).resolve().parents[1] / "twin" / "toolchain" / "versions.toml"
ARCHIVES = "https://get.pulumi.com/releases/sdk"
RELEASES = "https://github.com/pulumi/pulumi/releases/download"
MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
TABLE = "[pulumi.sha256]"
ATTEMPTS = 3


class InstallError(Exception):
    """A release that is not installed, and why."""


def install(folder: Path) -> str:
    """Unpack the pinned release into a folder; returns its archive's name. Raises InstallError."""
    pinned = tomllib.loads(VERSIONS.read_text())["pulumi"]
    name = archive(pinned["version"])
    recorded = pinned.get("sha256") or {}
    if recorded and name not in recorded:
        raise InstallError(
            f"{VERSIONS.name} records no checksum of {name}; expected those of the pinned version: "
            "`python3 tools/install_pulumi.py --record` writes them"
        )
    wanted = recorded.get(name) or published(pinned["version"]).get(name)
    if wanted is None:
        raise InstallError(f"the release {pinned['version']} publishes no checksum of {name}")
    content = fetch(f"{ARCHIVES}/{name}")
    digest = hashlib.sha256(content).hexdigest()
    if digest != wanted:
        raise InstallError(f"{name}: got SHA-256 {digest}, expected {wanted}; nothing was installed")
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as members:
        members.extractall(folder, filter="data")
    return name


def record() -> int:
    """Write the published checksums of the pinned version into versions.toml; returns how many."""
    text = VERSIONS.read_text()
    known = published(tomllib.loads(text)["pulumi"]["version"])
    lines = "".join(f'"{name}" = "{checksum}"\n' for name, checksum in sorted(known.items()))
    text = re.sub(rf"\n*^{re.escape(TABLE)}\n(\".*\n)*", "\n", text, flags=re.MULTILINE)
    comment = "# By tools/install_pulumi.py --record."
    text = re.sub(rf"\n*^{re.escape(comment)}\n", "\n", text, flags=re.MULTILINE)
    VERSIONS.write_text(f"{text.rstrip()}\n\n{comment}\n{TABLE}\n{lines}")
    return len(known)


def archive(version: str) -> str:
    """The name of this machine's archive."""
    system = sys.platform.replace("linux2", "linux")
    machine = MACHINES.get(platform.machine().lower())
    if system not in ("linux", "darwin") or machine is None:
        raise InstallError(f"there is no archive for {system} on {platform.machine()}")
    return f"pulumi-v{version}-{system}-{machine}.tar.gz"


def published(version: str) -> dict[str, str]:
    """Archive -> SHA-256, as the release on GitHub lists them for Linux and macOS."""
    text = fetch(f"{RELEASES}/v{version}/pulumi-{version}-checksums.txt").decode()
    pairs = re.findall(r"^([0-9a-f]{64}) [ *](\S+)$", text, re.MULTILINE)
    known = {name: checksum for checksum, name in pairs if re.search(r"-(linux|darwin)-", name)}
    if not known:
        raise InstallError(f"the release {version} lists no checksums; got {text[:200]!r}")
    return known


def fetch(url: str) -> bytes:
    """The content of a URL; a few attempts, as a network may fail."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(url, timeout=120) as answer:  # noqa: S310 - of the two places above
                return answer.read()
        except OSError as error:
            if attempt == ATTEMPTS or (isinstance(error, urllib.error.HTTPError) and error.code < 500):
                raise InstallError(f"{url}: {error}") from error
            time.sleep(attempt)
    raise AssertionError("the last attempt returns or raises")


def main(arguments: list[str]) -> int:
    """The exit code."""
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        sys.stderr.write(__doc__ or "")
        return 2
    try:
        if arguments[0] == "--record":
            sys.stderr.write(f"recorded {record()} checksums in {VERSIONS}\n")
        else:
            sys.stderr.write(f"{install(Path(arguments[0]))}: checked and unpacked into {arguments[0]}\n")
    except InstallError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
