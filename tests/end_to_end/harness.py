"""A twin for a test, controlled by the commands that a user runs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import boto3
import kubernetes
from botocore.config import Config
from ruamel.yaml import YAML

from cli import admin_client, engine_settings, environment_files
from tests.end_to_end import reduced
from twin import environment as variables
from twin import instances
from twin.instances import Instance

ROOT = Path(__file__).parents[2]
# Of a key itself: patterns of what is removed from logs have its first line, too.
PRIVATE_KEY = re.compile(r"PRIVATE KEY-----[\\\s]*n?[A-Za-z0-9+/]{20}")
GUARDED = ("--policy-pack", str(ROOT / "policies"))
"""For `up`: the policies evaluate each resource before it is created, and the whole stack at the end."""


@dataclass
class Twin:
    """A twin and actions of a test on it. `environment`: the name of the environment file and of the twin."""

    environment: str
    home: Path
    env: dict[str, str] = field(default_factory=dict[str, str])
    root: Path = ROOT
    """The repository whose environments and program it deploys: this one, or a copy."""
    without: tuple[str, ...] = ()
    """Topics that the environment's file does not have here, such as `reduced.KUBERNETES_LAYER`. Only with
    this repository as root."""
    checkpoints: bool = True
    """Whether the engine saves its state after each step. A test that interrupts no update may do without."""
    _clients: dict[str, kubernetes.client.ApiClient] = field(
        default_factory=dict[str, kubernetes.client.ApiClient], init=False
    )
    """By the kubeconfig's content."""

    def __post_init__(self) -> None:
        """Write the environment's file without these topics."""
        if self.without:
            reduced.write_without(self._files, self.environment, self.without)

    @property
    def _files(self) -> Path:
        return self.home / f"files-{self.environment}"

    @property
    def _command(self) -> list[str]:
        reduces = self.without or not self.checkpoints
        return [sys.executable, "-m", "tests.end_to_end.reduced" if reduces else "cli"]

    @property
    def _variables(self) -> dict[str, str]:
        less = {reduced.FOLDER: str(self._files)} if self.without else {}
        less |= {} if self.checkpoints else {reduced.NO_CHECKPOINTS: "true"}
        return {**os.environ, **less, **self.env}

    @property
    def engine_variables(self) -> dict[str, str]:
        """Variables for an engine that is not started by the command."""
        skipped = {} if self.checkpoints else {engine_settings.SKIP_CHECKPOINTS: "true"}
        return engine_settings.variables(["up"]) | skipped

    @property
    def instance(self) -> Instance:
        """The twin instance, read from disk."""
        instance = instances.load(self.environment)
        assert instance is not None, f"the twin {self.environment} was never started"
        return instance

    def cli(
        self, *arguments: str, check: bool = True, timeout: float = 900
    ) -> subprocess.CompletedProcess[str]:
        """Run `aiplatform ...`; its output is in the failure where `check` fails."""
        done = subprocess.run(
            [*self._command, *arguments],
            cwd=self.root,
            env=self._variables,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(
                f"aiplatform {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    @contextlib.contextmanager
    def started(self) -> Iterator[Self]:
        """Start the twin, without a deployed stack, and remove it afterwards."""
        try:
            self.cli("twin", "start", "--name", self.environment)
            yield self
        finally:
            self.remove()

    def up(self, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`make up`."""
        return self.cli("up", self.environment, *options, check=check)

    def spawn(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `aiplatform ...` in a separate session; its output goes to `<home>/spawned.log`."""
        with (self.home / "spawned.log").open("w") as log:
            return subprocess.Popen(
                [*self._command, *arguments],
                cwd=ROOT,
                env=self._variables,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )

    def spawned(self) -> str:
        """Return what the command of `spawn` has printed so far."""
        return (self.home / "spawned.log").read_text()

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a Pulumi command on the twin."""
        return self.cli("twin", "run", "--name", self.environment, "--", "pulumi", *arguments, check=check)

    def changed(
        self, *arguments: str, change: Mapping[str, Any], check: bool = True, stack: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a Pulumi command on the environment with changed keys (`network/pods`), not in its file.

        stack: the environment, where it is not that of the twin.
        """
        name = stack or self.environment
        with reduced.files(self._files):
            original = environment_files.stack_file(self.instance, name)
        document = YAML(typ="safe").load(original)
        reduced.overlay(document["config"], change)
        file = self.home / f"Pulumi.{name}.yaml"
        with file.open("w") as stream:
            YAML().dump(document, stream)
        return self.pulumi(*arguments, "--stack", name, "--config-file", str(file), check=check)

    def aws(self, service: str) -> Any:
        """Return a boto3 client of the twin's cloud."""
        env_vars = variables.environment(self.instance)
        make: Any = boto3.client  # its types know each service by a literal
        return make(
            service,
            region_name=self.instance.region,
            endpoint_url=env_vars["AWS_ENDPOINT_URL"],
            aws_access_key_id=env_vars["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env_vars["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"max_attempts": 2}),
        )

    def google(self, api: str, version: str) -> Any:
        """Return a client of one of Google's APIs on the twin, by Google's library and discovery document."""
        from google.oauth2.credentials import Credentials
        from googleapiclient import discovery

        env_vars = variables.environment(self.instance)
        # Paths of these two begin with the API's name and version.
        below = f"{api}/{version}/" if api in ("compute", "storage") else ""
        return discovery.build(
            api,
            version,
            credentials=Credentials(env_vars["GOOGLE_OAUTH_ACCESS_TOKEN"]),
            # The endpoint is the whole base of the document's paths.
            client_options={"api_endpoint": f"{self.instance.url('cloud')}/{api}.googleapis.com/{below}"},
            static_discovery=True,
            cache_discovery=False,
        )

    def kubernetes(self) -> kubernetes.client.ApiClient:
        """Return a client with the stack's kubeconfig, as a user has it: with its token and the webhook.

        It gets a token when the one before has expired: the program that prints one takes a second.
        """
        file = variables.stack_kubeconfig(self.instance)
        content = file.read_text()
        if content not in self._clients:
            self._clients[content] = kubernetes.config.new_client_from_config(str(file))
        return self._clients[content]

    def core(self) -> Any:
        """Return CoreV1Api of that client. Any: in the generated types every field is optional."""
        return kubernetes.client.CoreV1Api(self.kubernetes())

    def apps(self) -> Any:
        """Return AppsV1Api of that client."""
        return kubernetes.client.AppsV1Api(self.kubernetes())

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        return json.loads(self.pulumi("stack", "output", "--json", "--stack", self.environment).stdout)

    def inventory(self) -> dict[str, Any]:
        """Return what exists in the twin's cloud: kind -> ids."""
        return admin_client.request(self.instance, "GET", "inventory")

    def remove(self) -> None:
        """Stop every process and delete the twin."""
        self.cli("twin", "reset", "--name", self.environment, "--yes", check=False)
        shutil.rmtree(self.home / "twins" / self.environment, ignore_errors=True)


def gpu_pod(name: str, **spec: Any) -> dict[str, Any]:
    """Return a Pod that requests one GPU and no pool: it runs on any node that has one."""
    container = {
        "name": "main",
        "image": "registry.example/training:1",
        "resources": {"limits": {"nvidia.com/gpu": "1"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"restartPolicy": "Never", "containers": [container], **spec},
    }


def phase(core: Any, name: str, namespace: str = "default") -> str:
    """Return the phase of a Pod."""
    return core.read_namespaced_pod(name, namespace).status.phase


def steps(output: str) -> list[dict[str, Any]]:
    """Return the steps of a `pulumi preview --json`."""
    return json.loads(output[output.index("{") :])["steps"]


def updated(output: str) -> list[dict[str, Any]]:
    """Return the steps of a `pulumi up --json`, which prints an event a line."""
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return [event["resourcePreEvent"]["metadata"] for event in events if "resourcePreEvent" in event]
