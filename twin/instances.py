"""An instance: one twin's folder, with all that it remembers.

The folder holds the ports, the certificates, the state of the control plane, of the clouds and of the
stack. Its name is the twin's name; `make up ENV=x` uses the instance x, so environments live side by side.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import platformdirs

from twin.locks import OwnedLock
from twin.private_files import write_private

NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,38}[a-z0-9]")
PORTS: Final = (
    "etcd",
    "etcd-peer",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    "cloud",
    "webhook",
)

CLOUDS: Final = ("aws", "gcp")
RECORDS: Final = "recorded"
"""In an instance's folder: an empty file for each state file that it has had (twin.state_files)."""
FILE: Final = "instance.json"
"""In an instance's folder: its fields."""
FORMER_FILE: Final = "world.json"  # codespell:ignore world
"""Its name before version 0.1.0."""
PORT_RANGE: Final = (20_000, 32_000)


class InstanceError(Exception):
    """An instance that cannot be had as asked; the message says what would be right."""


def home() -> Path:
    """Where the instances of this user are: `AIPLATFORM_HOME`, else the user's state folder."""
    chosen = os.environ.get("AIPLATFORM_HOME")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_state_dir("ai-platform"))


@dataclass(frozen=True)
class Instance:
    """One twin.

    name: lower-case letters, digits and hyphens, 2 to 40 characters.
    cloud: `aws` or `gcp`.
    region: the region that the cloud's API server answers for by default.
    account: the AWS account id (12 digits) or the Google Cloud project id that the credentials belong to.
    ports: a free loopback port for each process, chosen once and remembered.
    """

    name: str
    cloud: str = "aws"
    region: str = "us-west-2"
    account: str = "123456789012"
    ports: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def folder(self) -> Path:
        """The instance's folder."""
        return home() / "twins" / self.name

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.folder / "logs"

    @property
    def bin(self) -> Path:
        """What goes in front of PATH: the providers, the language host, the engine."""
        return self.folder / "bin"

    @property
    def store(self) -> Path:
        """SQLite (WAL): what the providers know of resources and their intents."""
        return self.folder / "store.db"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig of the control plane (client certificate; loopback only)."""
        return self.folder / "kubernetes" / "admin.kubeconfig"

    def url(self, port: str, scheme: str = "http") -> str:
        """The loopback URL of a process, by the name of its port."""
        return f"{scheme}://127.0.0.1:{self.ports[port]}"

    def secure(self) -> None:
        """Make the folder where it is missing, and close it to other users.

        Raises InstanceError where it is another user's, who could read and replace what is in it.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.folder.stat().st_uid != os.geteuid():
            raise InstanceError(f"{self.folder}: belongs to another user; expected your own folder")
        self.folder.chmod(0o700)

    def save(self) -> None:
        """Write instance.json atomically."""
        self.secure()
        write_private(self.folder / FILE, json.dumps(asdict(self), indent=2) + "\n")


def load(name: str) -> Instance | None:
    """The instance of that name, or None where there is none."""
    file = home() / "twins" / name / FILE
    _migrate(file)
    try:
        return _parse(name, json.loads(file.read_text()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InstanceError(f"{file}: {error.strerror}; expected a file that this user can read") from error
    except (ValueError, TypeError) as error:
        raise InstanceError(
            f"{file} is damaged ({error}); `aiplatform twin reset --name {name}` deletes it"
        ) from error


def _parse(name: str, document: object) -> Instance:
    """Return the instance of this name that a document describes. Raises ValueError or TypeError."""
    if not isinstance(document, dict):
        raise TypeError("expected a JSON object")
    instance = Instance(**document)
    if instance.name != name:
        raise ValueError(f"it is the file of the twin {instance.name!r}")
    if instance.cloud not in CLOUDS:
        raise ValueError(f"cloud {instance.cloud!r}; expected one of {', '.join(CLOUDS)}")
    ports: object = instance.ports
    numbers = [ports.get(port) for port in PORTS] if isinstance(ports, dict) else [None]
    if not all(isinstance(number, int) for number in numbers):
        raise ValueError("a port is missing or no number")
    return instance


def create(
    name: str, *, cloud: str = "aws", region: str = "us-west-2", account: str = "123456789012"
) -> Instance:
    """Make the instance of that name, or return the one that exists.

    An instance keeps the account and region it was made with: asking for others is an error, as its
    resources would change owner.
    """
    if not NAME.fullmatch(name):
        raise InstanceError(
            f"twin name {name!r}: use 2 to 40 lower-case letters, digits and hyphens, a letter first"
        )
    with lock("instances"):
        known = load(name)
        if known is None:
            _refuse_remains(name)
            ports: dict[str, int] = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
            instance = Instance(name, cloud, region, account, ports)
            instance.save()
            return instance
    wanted = (cloud, region, account)
    made_with = (known.cloud, known.region, known.account)
    if made_with != wanted:
        raise InstanceError(
            f"twin {name!r} exists with cloud, region and account {made_with}, not {wanted}: "
            f"choose another --name, or remove it with `aiplatform twin reset --name {name}`"
        )
    return known


def _refuse_remains(name: str) -> None:
    """Refuse to create an instance over the state of one without its file, such as an interrupted reset."""
    folder = home() / "twins" / name
    if (folder / RECORDS).is_dir():
        raise InstanceError(
            f"{folder / FILE} is missing, and the folder has the state of a twin; "
            f"`aiplatform twin reset --name {name}` deletes it"
        )


def _migrate(file: Path) -> None:
    """Rename the file of an instance that an earlier version created."""
    former = file.with_name(FORMER_FILE)
    if former.is_file() and not file.exists():
        with contextlib.suppress(FileNotFoundError):  # another command does it at this time
            former.rename(file)


def lock(name: str, *, seconds: float = 300) -> OwnedLock:
    """A lock between this user's processes, by name; the system releases that of a killed process.

    It is next to the instances and not in one, since a reset removes the instance's folder. Waits at most
    that many seconds (filelock.Timeout).
    """
    folder = home() / "twins" / ".locks"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return OwnedLock(folder / f"{name}.lock", timeout=seconds)


def every() -> list[Instance]:
    """All instances of this user, by name; a damaged one is left out."""
    instances: list[Instance] = []
    for folder in sorted(home().glob("twins/*/")):
        _migrate(folder / FILE)
    for file in sorted((home() / "twins").glob(f"*/{FILE}")):
        with contextlib.suppress(InstanceError):
            instance = load(file.parent.name)
            instances += [instance] if instance else []
    return instances


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that no process uses now and no twin has as its own."""
    # Below the range from which systems take the ports of outgoing connections (Linux from 32768, macOS
    # from 49152): a stopped twin would find its port taken by some program's connection. All are held open
    # until the last is chosen; ports of the other instances, which may be stopped now, are left alone.
    taken = {port for instance in every() for port in instance.ports.values()}
    candidates = [port for port in range(*PORT_RANGE) if port not in taken]
    probes: list[socket.socket] = []
    chosen: list[int] = []
    try:
        while len(chosen) < count:
            if not candidates:
                raise InstanceError(
                    f"no {count} free ports in {PORT_RANGE[0]}-{PORT_RANGE[1]}: remove a twin"
                )
            probe = socket.socket()
            probes.append(probe)
            try:
                at = random.randrange(len(candidates))  # noqa: S311 - no secret: any free port will do
                probe.bind(("127.0.0.1", candidates.pop(at)))
            except OSError:
                continue
            chosen.append(probe.getsockname()[1])
    finally:
        for probe in probes:
            probe.close()
    return chosen
