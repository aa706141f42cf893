"""Which controllers the twin can run, and what of their settings a process of this machine has instead.

A further controller is an entry in programs.toml, a line in twin/toolchain/versions.toml and one in
twin/toolchain/tools.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from twin.kubernetes.api import Object
from twin.kubernetes.pods import repository

LOOPBACK: Final = "127.0.0.1"
FOLDER: Final = "$FOLDER"
"""In values of the table: the folder of the process."""
NAMESPACE: Final = "$NAMESPACE"
"""In variables of the table: the namespace of the Pod."""


@dataclass(frozen=True)
class Program:
    """A controller. Keys of its configuration are written with dots.

    image: the end of its image's repository; in front of it is a registry or a mirror.
    configuration: the argument that names its configuration file (YAML).
    listens: keys of the configuration with a port (`9443`) or an address (`:8081`), and their defaults. The
      process gets a free port of loopback for each.
    settings: keys with a value that differs in a process. `$FOLDER` is its folder.
    mounted: keys with a path in the container that its configuration does not have to name, and that path.
    arguments: further ones, after those of the container.
    certificate: the folder, in that of the process, into which the twin issues its webhook's certificate: for
      a controller that writes it to a path of the container that has no setting. Empty: it does not.
    environment: variables with a value that differs in a process. `$NAMESPACE` is the namespace of its Pod.
    port_variables: variables with a port on which it listens. The process gets a free port for each.
    cloud: whether it calls the cloud, with the workload identity of its ServiceAccount.
    port_arguments: arguments with a port (`8080`) or an address (`:10250`) on which it listens, and their
      defaults. The process gets a free port of loopback for each.
    module: a module of the twin that runs in its place, with the path of the program and `arguments`.
    certificates: whether it reads Secrets of cert-manager's Certificates, which the twin issues.
    issued: where the container has the certificate of its webhook, which cert-manager issues into a Secret:
      the twin does where there is none.
    instead: version of an image -> the version that is built in its place, where the module proxy serves no
      other.
    peers: arguments with the address of a Service whose Pods are another program, and that program. The
      process gets the address of that process.
    authority: the argument for the name of that Service, by which its certificate is valid.
    """

    name: str
    image: str
    configuration: str = ""
    listens: Mapping[str, int | str] = field(default_factory=dict[str, int | str])
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    mounted: Mapping[str, str] = field(default_factory=dict[str, str])
    arguments: tuple[str, ...] = ()
    certificate: str = ""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    port_variables: tuple[str, ...] = ()
    cloud: bool = False
    port_arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    module: str = ""
    certificates: bool = False
    issued: str = ""
    instead: Mapping[str, str] = field(default_factory=dict[str, str])
    peers: Mapping[str, str] = field(default_factory=dict[str, str])
    authority: str = ""

    def container(self, pod: Object) -> Object | None:
        """Return the container of a Pod that is this program."""
        for container in pod["spec"]["containers"]:
            name = repository(container.get("image") or "")
            if name == self.image or name.endswith(f"/{self.image}"):
                return container
        return None


def _program(name: str, table: Mapping[str, Any]) -> Program:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
    }
    return Program(name, **values)


PROGRAMS: Final[Mapping[str, Program]] = {
    name: _program(name, table)
    for name, table in tomllib.loads(Path(__file__).with_name("programs.toml").read_text("utf-8")).items()
}
