"""Turn a container into a command, variables and a folder of this machine, and start it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from twin.kubernetes.api import Object
from twin.kubernetes.certificates import write_context
from twin.kubernetes.processes import environments, variables
from twin.kubernetes.processes.configurations import Adaptation
from twin.kubernetes.processes.images import ROOT, Image
from twin.kubernetes.processes.process import MARK, Process
from twin.kubernetes.processes.rewriting import Rewriter
from twin.kubernetes.processes.sources import Sources
from twin.kubernetes.processes.volumes import Volumes
from twin.private_files import private_folder

HOOK: Final = Path(__file__).with_name("hook")
"""A folder for PYTHONPATH: its sitecustomize.py gives Python programs the Pod's addresses and names."""
TOKENS: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
MOUNTS: Final = "AIPLATFORM_TWIN_MOUNTS"
"""The variable with the folders of this machine by mount path, for programs that look for fixed paths."""
VERBATIM: Final = ("ARGO_TEMPLATE",)
"""Variables with paths of another container: the template of a step is read by the containers next to it."""
_MESSAGE_BYTES: Final = 4096


@dataclass(frozen=True)
class Machine:
    """What all Pods of a twin share.

    api_server: host and port. network: the file of names and addresses for sitecustomize.py.
    mark: the variable by which the twin finds its processes, and its value.
    """

    api_server: tuple[str, int]
    network: Path
    mark: Mapping[str, str]


@dataclass(frozen=True)
class Call:
    """A command with its variables and working directory; `rewrite` is for further words in its container."""

    command: Sequence[str]
    env: Mapping[str, str]
    folder: Path
    rewrite: Rewriter


class Launcher:
    """Starts the containers of one Pod.

    address: of the Pod on loopback. services: returns the headless Services of the Pod's namespace. cloud:
    variables by which SDKs reach the twin's cloud.
    """

    def __init__(
        self,
        machine: Machine,
        sources: Sources,
        volumes: Volumes,
        folder: Path,
        address: str,
        services: Callable[[], Iterable[str]],
        cloud: Mapping[str, str],
    ) -> None:
        self.folder = folder
        self.address = address
        self._machine = machine
        self._sources = sources
        self._volumes = volumes
        self._services = services
        self._cloud = cloud
        self._calls: dict[str, Call] = {}

    def start(self, container: Object, image: Image, restarts: int) -> Process:
        """Start a container. Raises MissingSourceError, ImageError and OSError."""
        call = self._calls[container["name"]] = self.call(container, image)
        self._message_file(container).unlink(missing_ok=True)
        log = self.log(container["name"], restarts)
        return Process(self._identifier(container), call.command, call.env, call.folder, log)

    def execute(self, container: Object, command: Sequence[str], seconds: float) -> bool:
        """Run a command in a started container, as probes and hooks do; whether it ended with 0."""
        call = self._calls[container["name"]]
        done = subprocess.run(
            [call.rewrite(word) for word in command],
            env={**call.env, MARK: self._identifier(container)},
            cwd=call.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        return done.returncode == 0

    def _identifier(self, container: Object) -> str:
        return f"{self._sources.pod['metadata']['uid']}/{container['name']}"

    def log(self, container: str, restarts: int) -> Path:
        """Return the log of a container's nth start."""
        return self.folder / "logs" / container / f"{restarts}.log"

    def message(self, container: Object) -> str:
        """Return what a container wrote to its terminationMessagePath."""
        try:
            return self._message_file(container).read_bytes()[:_MESSAGE_BYTES].decode(errors="replace")
        except OSError:
            return ""

    def call(self, container: Object, image: Image) -> Call:
        """Return how a container is run here. Raises MissingSourceError and ImageError."""
        pod = self._sources.pod
        declared = variables.declared(self._sources, container)
        mounts = self._volumes.mounts(container, declared)
        home = self._private("home", container["name"])
        commands = environments.commands(image.environment)
        folders = {
            # A command may name a file of the machine, which can be below /tmp, too.
            **{
                str(path): path
                for path in (ROOT, self.folder.parents[1], image.folder, commands, Path(sys.prefix))
            },
            "/tmp": self._private("tmp", container["name"]),  # noqa: S108 - of the container
            **({image.path: image.folder} if image.path else {}),
            container.get("terminationMessagePath") or "/dev/termination-log": self._message_file(container),
            **mounts,
        }
        rewrite = Rewriter(folders, self.address, pod["metadata"]["namespace"], self._services())
        command = [rewrite(word) for word in variables.command(container, image, declared)]
        if not command:
            raise environments.ImageError(f"{container['name']}: no command, and its image has no entrypoint")
        working = container.get("workingDir") or "."
        inside = Path(rewrite(working))
        host, port = self._machine.api_server
        env = {
            "HOME": str(home),
            "TMPDIR": str(folders["/tmp"]),  # noqa: S108 - of the container
            "LANG": "C.UTF-8",
            "HOSTNAME": pod["spec"].get("hostname") or pod["metadata"]["name"],
            "KUBERNETES_SERVICE_HOST": host,
            "KUBERNETES_SERVICE_PORT": str(port),
            **({"KUBECONFIG": str(self._kubeconfig(mounts[TOKENS]))} if TOKENS in mounts else {}),
            **self._cloud,
            **{name: value if name in VERBATIM else rewrite(value) for name, value in declared.items()},
            MOUNTS: json.dumps({place: str(folder) for place, folder in folders.items()}),
        }
        return Call(
            command,
            {
                **env,
                "PATH": os.pathsep.join((str(commands), *image.search, os.environ.get("PATH", os.defpath))),
                "PYTHONPATH": os.pathsep.join(filter(None, (str(HOOK), env.get("PYTHONPATH")))),
                "AIPLATFORM_TWIN_POD": json.dumps(
                    {
                        "address": self.address,
                        "namespace": pod["metadata"]["namespace"],
                        "network": str(self._machine.network),
                    }
                ),
                **self._machine.mark,
            },
            # A folder of the image that the table does not name is the image's working directory.
            inside if str(inside) != working and inside.is_dir() else image.folder,
            rewrite,
        )

    def adaptation(self, proxy: str, factor: float) -> Adaptation:
        """Return how files of the Pod's volumes differ here. proxy: into the cluster. factor: of the twin's
        clock."""
        spec = self._sources.pod["spec"]
        mounts: dict[str, Path] = {}
        for container in [*(spec.get("initContainers") or ()), *spec["containers"]]:
            mounts |= self._volumes.mounts(container, {}, create=False)
        rewrite = Rewriter(mounts, self.address, self._sources.pod["metadata"]["namespace"], ())
        return Adaptation(rewrite, proxy, self.folder / "kubeconfig", factor)

    def _private(self, *names: str) -> Path:
        return private_folder(self.folder.joinpath(*names))

    def _message_file(self, container: Object) -> Path:
        return self._private("messages") / container["name"]

    def _kubeconfig(self, tokens: Path) -> Path:
        """Write a kubeconfig of the Pod's service account: clients look for its token at a fixed path."""
        host, port = self._machine.api_server
        cluster = {"server": f"https://{host}:{port}", "certificate-authority": str(tokens / "ca.crt")}
        namespace = self._sources.pod["metadata"]["namespace"]
        user = {"tokenFile": str(tokens / "token")}
        return write_context(self.folder / "kubeconfig", "pod", cluster, "pod", user, namespace=namespace)
