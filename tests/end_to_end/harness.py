"""A twin for a test, driven by the command that a user types."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import boto3
import kubernetes
from botocore.config import Config
from ruamel.yaml import YAML

from cli import admin_client
from twin import environment as variables
from twin import world as worlds
from twin.world import World

ROOT = Path(__file__).parents[2]
GUARDED = ("--policy-pack", str(ROOT / "policies"))
"""For `up`: each resource is judged before it is made, and all together when they stand and all is known."""
T = TypeVar("T")


@dataclass
class Twin:
    """One world and what a test does with it. `environment` is the environment file's and the twin's name."""

    environment: str
    home: Path
    env: dict[str, str] = field(default_factory=dict[str, str])
    root: Path = ROOT
    """The repository whose environments and program it deploys: this one, or a copy."""

    @property
    def world(self) -> World:
        """The world as it is on disk."""
        found = worlds.load(self.environment)
        assert found is not None, f"the twin {self.environment} was never started"
        return found

    def cli(
        self, *arguments: str, check: bool = True, timeout: float = 900
    ) -> subprocess.CompletedProcess[str]:
        """Run `aiplatform ...`; its output is in the failure where `check` fails."""
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=self.root,
            env={**os.environ, **self.env},
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
        """The twin, started with nothing up, and removed afterwards."""
        try:
            self.cli("twin", "start", "--name", self.environment)
            yield self
        finally:
            self.remove()

    def up(self, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`make up`."""
        return self.cli("up", self.environment, *options, check=check)

    def spawn(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin `aiplatform ...` in a session of its own; its output goes to `<home>/spawned.log`."""
        with (self.home / "spawned.log").open("w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "cli", *arguments],
                cwd=ROOT,
                env={**os.environ, **self.env},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                text=True,
                start_new_session=True,
            )

    def spawned(self) -> str:
        """What the command that `spawn` began has said so far."""
        return (self.home / "spawned.log").read_text()

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Any Pulumi command inside the twin."""
        return self.cli("twin", "run", "--name", self.environment, "--", "pulumi", *arguments, check=check)

    def changed(
        self, *arguments: str, change: Mapping[str, Any], check: bool = True, stack: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """A Pulumi command on the environment with keys changed (`network/pods`); the file stays.

        stack: the environment where it is not the world's own.
        """
        name = stack or self.environment
        original = variables.stack_file(self.world, name)
        document = YAML(typ="safe").load(original)
        for dotted, value in change.items():
            topic, *path = dotted.split("/")
            node: Any = document["config"]
            key = f"ai-platform:{topic}"
            for part in path:
                node = node.setdefault(key, {})
                key = part
            node[key] = value
        file = self.home / f"Pulumi.{name}.yaml"
        with file.open("w") as stream:
            YAML().dump(document, stream)
        return self.pulumi(*arguments, "--stack", name, "--config-file", str(file), check=check)

    def aws(self, service: str) -> Any:
        """A boto3 client of the twin's cloud."""
        given = variables.environment(self.world)
        make: Any = boto3.client  # its types know each service by a literal
        return make(
            service,
            region_name=self.world.region,
            endpoint_url=given["AWS_ENDPOINT_URL"],
            aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"max_attempts": 2}),
        )

    def google(self, api: str, version: str) -> Any:
        """A client of one of Google's APIs in the twin, by Google's own library and discovery document."""
        from google.oauth2.credentials import Credentials
        from googleapiclient import discovery

        given = variables.environment(self.world)
        # The two whose paths begin with the API.
        below = f"{api}/{version}/" if api in ("compute", "storage") else ""
        return discovery.build(
            api,
            version,
            credentials=Credentials(given["GOOGLE_OAUTH_ACCESS_TOKEN"]),
            # The endpoint is the whole base of the document's paths.
            client_options={"api_endpoint": f"{self.world.url('cloud')}/{api}.googleapis.com/{below}"},
            static_discovery=True,
            cache_discovery=False,
        )

    def kubernetes(self) -> kubernetes.client.ApiClient:
        """A client by the stack's own kubeconfig, as a user has it: token, webhook and all."""
        return kubernetes.config.new_client_from_config(str(variables.stack_kubeconfig(self.world)))

    def core(self) -> Any:
        """CoreV1Api of that client. Any: the generated types call every field optional."""
        return kubernetes.client.CoreV1Api(self.kubernetes())

    def apps(self) -> Any:
        """AppsV1Api of that client."""
        return kubernetes.client.AppsV1Api(self.kubernetes())

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        return json.loads(self.pulumi("stack", "output", "--json", "--stack", self.environment).stdout)

    def inventory(self) -> dict[str, Any]:
        """What the twin's cloud holds."""
        return admin_client.request(self.world, "GET", "inventory")

    def remove(self) -> None:
        """Stop every process and forget the world."""
        self.cli("twin", "reset", "--name", self.environment, "--yes", check=False)
        shutil.rmtree(self.home / "twins" / self.environment, ignore_errors=True)


def eventually(what: str, probe: Callable[[], T | None], seconds: float = 60) -> T:
    """The first answer of a probe that is neither None nor False; a failure names what never came."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            answer = probe()
        except Exception as error:  # noqa: BLE001 - the last one is told when time is up
            last = error
        else:
            if answer is not None and answer is not False:
                return answer
        time.sleep(0.3)
    raise AssertionError(f"{what}: not within {seconds} s" + (f" (last error: {last})" if last else ""))


def gpu_pod(name: str, **spec: Any) -> dict[str, Any]:
    """A Pod that asks for one GPU, and for nothing else of the platform's: it runs wherever there is one."""
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


def phase(core: Any, name: str) -> str:
    """The phase of a Pod in the namespace default."""
    return core.read_namespaced_pod(name, "default").status.phase


def steps(output: str) -> list[dict[str, Any]]:
    """The steps of a `pulumi preview --json`."""
    return json.loads(output[output.index("{") :])["steps"]
