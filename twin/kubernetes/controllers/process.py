"""One controller as a process: started as its Pod's container states, probed, restarted, ended."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from twin import processes
from twin.instances import Instance, free_ports
from twin.kubernetes import certificates, control_plane
from twin.kubernetes.api import Kube, Object, path
from twin.kubernetes.certificates import Pki, write_context
from twin.kubernetes.controllers.configuration import adapted, listening
from twin.kubernetes.controllers.programs import FOLDER, LOOPBACK, NAMESPACE, Program
from twin.kubernetes.controllers.selection import Build
from twin.kubernetes.pods import selects
from twin.kubernetes.processes import variables
from twin.kubernetes.processes.images import ROOT
from twin.kubernetes.processes.probes import port_of, succeeds
from twin.kubernetes.processes.rewriting import Rewriter
from twin.kubernetes.processes.sources import MissingSourceError, Sources
from twin.kubernetes.processes.volumes import Volumes
from twin.private_files import write_private
from twin.processes import Daemon

if TYPE_CHECKING:
    from twin.kubernetes.processes.runtime import Identity

ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where a Pod has its token."""
PROBE_SECONDS: Final = 1.0
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
"""Seconds until a process that ended is started again: the first, doubled each time up to the longest."""
STEADY: Final = 60.0
"""Seconds after which the next end of a process is taken for the first."""
GRACE_SECONDS: Final = 5.0


@dataclass
class Launch:
    """How a process was started; in a file, so that a new controller process of the twin takes it over."""

    pod: str = ""
    """The uid of the Pod whose container it is; empty where there is none."""
    binary: str = ""
    cloud: dict[str, str] = field(default_factory=dict[str, str])
    """The variables by which it reaches the cloud. Those of a new controller process of the twin differ."""
    ports: dict[int, int] = field(default_factory=dict[int, int])
    """Port of the container -> port of loopback."""
    peers: dict[str, str] = field(default_factory=dict[str, str])
    """Argument -> the address of another program that it was started with."""
    restarts: int = 0
    """How often it was started again for this Pod."""


class ControllerProcess:
    """The process of a program. Not thread-safe. identity: returns the cloud's part of a node. ports_of:
    returns the ports of another program, by its name."""

    def __init__(
        self,
        instance: Instance,
        kube: Kube,
        program: Program,
        identity: Callable[[], Identity] | None = None,
        ports_of: Callable[[str], Mapping[int, int]] = lambda _name: {},
    ) -> None:
        self.program = program
        self.daemon = Daemon(instance.folder, program.name)
        self._instance = instance
        self._kube = kube
        self._folder = instance.folder / "controllers" / program.name
        self._files: tuple[str, Sources, Volumes] | None = None
        self._identity = identity if program.cloud else None
        self._ports_of = ports_of
        self._extended: tuple[Object, dict[str, str]] = ({}, {})
        self._launch = self._read()
        self._failures = 0
        self._began = time.monotonic()
        self._again = 0.0

    @property
    def pod(self) -> str:
        """The uid of the Pod whose container it is; empty where there is none."""
        return self._launch.pod

    @property
    def ports(self) -> Mapping[int, int]:
        """Port of the container -> port of loopback."""
        return self._launch.ports

    @property
    def restarts(self) -> int:
        """How often it was started again for its Pod."""
        return self._launch.restarts

    def keep(self, build: Build, pod: Object, container: Object) -> None:
        """Have it run as the container of a Pod. Raises MissingSourceError, ApiError, Unreachable and
        ProcessError."""
        uid, name = pod["metadata"]["uid"], container["name"]
        pod, cloud = self._with_identity(pod)
        container = next(entry for entry in pod["spec"]["containers"] if entry["name"] == name)
        launch = self._launch
        peers = self._peers(container)
        if (launch.pod, launch.binary, launch.cloud, launch.peers) != (uid, build.binary, cloud, peers):
            self.end()
            launch = self._launch = Launch(uid, build.binary, cloud, peers=peers)
        self._issue(pod, container)
        sources, volumes = self._mounted(pod)
        volumes.write()
        now = time.monotonic()
        if self.daemon.alive:
            if now - self._began > STEADY:
                self._failures = 0
            return
        if self.daemon.ended:
            if not self._again:
                self._again = now + min(FIRST_PAUSE * 2**self._failures, LONGEST_PAUSE)
                self._failures += 1
                launch.restarts += 1
            if now < self._again:
                return
        declared = variables.declared(sources, container)
        self._start(pod, container, declared, volumes.mounts(container, declared))
        self._began, self._again = now, 0.0

    def _peers(self, container: Object) -> dict[str, str]:
        """Return the addresses of the other programs that it calls. Raises MissingSourceError for one that
        does not run."""
        peers: dict[str, str] = {}
        for argument in container.get("args") or ():
            name, _, address = argument.partition("=")
            if name not in self.program.peers:
                continue
            host, _, port = address.rpartition(":")
            here = self._ports_of(self.program.peers[name]).get(int(port))
            if here is None:
                raise MissingSourceError(f"{host} does not listen on port {port}")
            peers[name] = f"{LOOPBACK}:{here}"
        return peers

    def end(self) -> None:
        """Stop it, and forget its Pod."""
        if not self._launch.pod and not self.daemon.pid_file.exists():
            return
        processes.stop([self.daemon], grace_seconds=GRACE_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._launch, self._files, self._failures, self._again = Launch(), None, 0, 0.0

    def _mounted(self, pod: Object) -> tuple[Sources, Volumes]:
        """Return what the variables of a Pod are read from, and its volumes."""
        uid = pod["metadata"]["uid"]
        if self._files is None or self._files[0] != uid:
            sources = Sources(self._kube, pod, {})
            self._files = uid, sources, Volumes(sources, self._folder, self._folder / "claims")
        return self._files[1:]

    def ready(self, container: Object) -> bool:
        """Return whether its readiness probe succeeds; without a probe, whether it runs."""
        if not self.daemon.alive:
            return False
        probe = (container.get("readinessProbe") or {}).get("httpGet")
        if probe is None:
            return True
        port = self.ports.get(port_of(container, probe["port"]))
        handler = {"httpGet": {**probe, "port": port}}
        return port is not None and succeeds(handler, container, LOOPBACK, PROBE_SECONDS, lambda *_: False)

    def _with_identity(self, pod: Object) -> tuple[Object, dict[str, str]]:
        """Return a Pod with what the cloud's webhook adds when it is created, and the SDKs' variables."""
        if self._identity is None:
            return pod, {}
        if self._extended[0].get("metadata", {}).get("uid") != pod["metadata"]["uid"]:
            identity = self._identity()
            self._extended = (identity.extended(pod), identity.variables(pod))
        return self._extended

    def _start(
        self, pod: Object, container: Object, declared: Mapping[str, str], places: Mapping[str, Path]
    ) -> None:
        # Ports are drawn at each start: another program may have taken one meanwhile.
        self._launch.ports = {}
        (self._folder / "tmp").mkdir(parents=True, exist_ok=True, mode=0o700)
        self._write_kubeconfig(places, pod["metadata"]["namespace"])
        if self.program.certificate:
            self._certificate(pod)
        rewrite = Rewriter(places, LOOPBACK, pod["metadata"]["namespace"], ())
        # Those of the program mean nothing to the module that runs in its place.
        stated = () if self.program.module else container.get("args") or ()
        arguments = [
            self._configured(rewrite(variables.expand(argument, declared)), rewrite) for argument in stated
        ]
        arguments = listening(self.program, arguments, self._port)
        arguments = list(self._calling(arguments))
        arguments += [argument.replace(FOLDER, str(self._folder)) for argument in self.program.arguments]
        namespace = pod["metadata"]["namespace"]
        differing = {
            name: value.replace(NAMESPACE, namespace) for name, value in self.program.environment.items()
        }
        settings = {**declared, **differing}
        settings |= {
            name: str(self._port(int(settings[name])))
            for name in self.program.port_variables
            if settings.get(name)
        }
        self._write()
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            **self._launch.cloud,
            **{name: rewrite(value) for name, value in settings.items()},
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder / "tmp"),
            "KUBECONFIG": str(self._folder / "kubeconfig"),
        }
        command = [self._launch.binary, *arguments]
        if self.program.module:
            command = [sys.executable, "-m", self.program.module, *command]
            environment["PYTHONPATH"] = str(ROOT)
        processes.start(self.daemon, command, env=environment, cwd=self._folder)

    def _calling(self, arguments: Sequence[str]) -> Iterator[str]:
        """Yield the arguments, with the addresses of other programs in place of those of their Services."""
        for argument in arguments:
            name, _, address = argument.partition("=")
            here = self._launch.peers.get(name)
            if here is None:
                yield argument
                continue
            yield f"{name}={here}"
            if self.program.authority:
                yield f"{self.program.authority}={address}"

    def _configured(self, argument: str, rewrite: Rewriter) -> str:
        """Return an argument; the one that names the configuration names an adapted copy instead."""
        name, sign, file = argument.partition("=")
        if not self.program.configuration or name != self.program.configuration or not sign:
            return argument
        document = adapted(self.program, Path(file).read_text(), rewrite, self._folder, self._port)
        copy = write_private(self._folder / "configuration.json", json.dumps(document, indent=1) + "\n")
        return f"{name}={copy}"

    def _port(self, number: int) -> int:
        if number not in self._launch.ports:
            self._launch.ports[number] = next(
                port for port in free_ports(4) if port not in self._launch.ports.values()
            )
        return self._launch.ports[number]

    def _write_kubeconfig(self, places: Mapping[str, Path], namespace: str) -> None:
        user = {"tokenFile": str(places[ACCOUNT] / "token")} if ACCOUNT in places else {}
        cluster = {
            "server": control_plane.endpoint(self._instance),
            "certificate-authority-data": control_plane.certificate_authority(self._instance),
        }
        write_context(self._folder / "kubeconfig", "twin", cluster, "pod", user, namespace=namespace)

    def _certificate(self, pod: Object, name: str = "") -> Object:
        """Issue a certificate for the Services of a Pod, by the authority that the API server trusts. Returns
        a Secret of that name with it."""
        namespace = pod["metadata"]["namespace"]
        services = self._kube.get(path("v1", "services", namespace))["items"]
        selecting = [service["metadata"]["name"] for service in services if selects(service, pod)]
        names = [*selecting, *(f"{service}.{namespace}.svc" for service in selecting)]
        return certificates.secret(
            self._pki(), namespace, name, names, self._folder / self.program.certificate
        )

    def _pki(self) -> Pki:
        return Pki(self._instance.folder / "kubernetes" / "pki")

    def _issue(self, pod: Object, container: Object) -> None:
        """Create the Secret with the certificate of its webhook, in the place of cert-manager."""
        of_program = {
            mount["name"]
            for mount in container.get("volumeMounts") or ()
            if self.program.issued and mount["mountPath"] == self.program.issued
        }
        for volume in pod["spec"].get("volumes") or ():
            if volume["name"] not in of_program or "secret" not in volume:
                continue
            namespace, name = pod["metadata"]["namespace"], volume["secret"]["secretName"]
            if self._kube.find(path("v1", "secrets", namespace, name)) is not None:
                continue
            self._kube.create(path("v1", "secrets", namespace), self._certificate(pod, name))

    @property
    def _launch_file(self) -> Path:
        return self._folder / "launch.json"

    def _read(self) -> Launch:
        try:
            document = json.loads(self._launch_file.read_text())
            ports = {int(number): here for number, here in document.pop("ports").items()}
            return Launch(**document, ports=ports)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return Launch()

    def _write(self) -> None:
        write_private(self._launch_file, json.dumps(vars(self._launch)) + "\n")
