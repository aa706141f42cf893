"""The team of examples/recommender on a twin of aws-dev, whose images run as processes.

What deploy.py writes is deployed and applied unchanged. In place of what does not run here, a test is the
gateway (`gateway`), and writes the Secret of the team's account, as External Secrets does.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import kubernetes
import yaml

from examples.recommender import deploy
from tests.end_to_end import pods
from tests.end_to_end.copies import copy_repository
from tests.end_to_end.harness import ROOT, Twin
from tests.end_to_end.plain import trust
from twin.kubernetes.processes import environments
from twin.tests.aws.services.athena.asking import Asking
from twin.tests.waiting import eventually

ENVIRONMENT: Final = "aws-dev"
CLUSTER: Final = "acme-dev-cluster"
TEAM: Final = "shop"
ACCOUNT: Final = "111122223333"
FUNCTION: Final = "acme-dev-ingestion"
"""The function, and its role."""
NAMES: Final = deploy.Names(
    registry=f"{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/acme-dev",
    owners=f"arn:aws:iam::{ACCOUNT}:role/shop-owners",
    commit="0" * 40,
    role=f"arn:aws:iam::{ACCOUNT}:role/{FUNCTION}",
)
EXAMPLE: Final = ROOT / "examples" / "recommender"
DIGITS: Final = {"training": "5", "ingestion": "7", "serving": "8", "features": "9", "monitoring": "a"}
"""Service -> the digit of its placeholder of a digest in the files of the example."""
ENTRY: Final = {name: ("python", "-m", name) for name in DIGITS} | {
    "ingestion": ("python", "-m", "ingestion", "serve")
}
PLATFORM: Final = {
    "acme-dev/model-server": (ROOT / "containers" / "model_server", ("python", "-m", "model_server")),
    "feastdev/feature-server": (ROOT / "tests" / "end_to_end" / "clients" / "feast", ()),
}
"""Images of the platform that run, too: the end of the repository -> folder with the lock, entry point."""
DAYS: Final = 4
"""Full days of clicks, of which the last one is yesterday."""
CLICKS: Final = 6000
BROKEN: Final = 2
"""Lines of each day that are not valid."""
ENDED: Final = 420
"""Seconds that the Job of a service has: Feast takes a quarter of a minute to import, three times."""


def table() -> str:
    """Return the table of images: the services by their digests, as all have one repository on AWS."""
    services = {
        f"acme-dev/training@sha256:{digit * 64}": (EXAMPLE / name, ENTRY[name])
        for name, digit in DIGITS.items()
    }
    return "\n".join(
        f'["{name}"]\nfolder = "{folder}"\nenvironment = "{folder}"\nentrypoint = {json.dumps(words)}\n'
        for name, (folder, words) in {**services, **PLATFORM}.items()
    )


class Shop(Twin):
    """The twin. folder: for a copy of the repository, whose environment deploy.py changes."""

    def __init__(self, home: Path, folder: Path) -> None:
        super().__init__(ENVIRONMENT, home, root=copy_repository(folder), checkpoints=False)
        _, self.objects, _ = deploy.compose(ENVIRONMENT, NAMES, self.root / "environments")

    def create(self) -> None:
        """Start the twin, create the roles that the platform does not, and deploy the environment."""
        place = self.home / "twins" / ENVIRONMENT
        place.mkdir(parents=True)
        (place / "images.toml").write_text(table())
        self.cli("twin", "start", "--name", ENVIRONMENT)
        iam = self.aws("iam")
        for name, service in (("shop-owners", "ec2.amazonaws.com"), (FUNCTION, "lambda.amazonaws.com")):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(service))
        self.up()

    def kubectl(self, *words: str, namespace: str = TEAM) -> str:
        """Run kubectl, and return what it prints."""
        command = ("twin", "run", "--name", ENVIRONMENT, "--", "kubectl", "-n", namespace, *words)
        return self.cli(*command).stdout

    def manifests(self) -> list[dict[str, Any]]:
        """Return the objects that deploy.py wrote."""
        return yaml.safe_load(self.objects.read_text())["items"]

    # Files and tables.

    @functools.cached_property
    def lake(self) -> dict[str, Any]:
        """The outputs of the lakehouse."""
        return self.outputs()["data"]["lakehouse"]

    @property
    def bucket(self) -> str:
        """The bucket of raw."""
        return next(zone["bucket"] for zone in self.lake["zones"] if zone["name"] == "raw")

    def deliver(self, key: str, lines: Sequence[str]) -> None:
        """Put a file into raw, as the shop does."""
        body = "".join(f"{line}\n" for line in lines).encode()
        self.aws("s3").put_object(Bucket=self.bucket, Key=f"files/incoming/{key}", Body=body)

    def rows(self, sql: str) -> list[list[Any]]:
        """Return the rows of a query by the analysts, whose grant has all tables of curated and serving."""
        key = pods.session(self, CLUSTER, "analytics", "notebooks")
        database = next(zone["database"] for zone in self.lake["zones"] if zone["name"] == "curated")
        athena, workgroup = pods.client(self, key, "athena"), self.lake["workgroups"]["analysts"]
        return Asking(athena, workgroup, database).rows(sql)

    # Pods.

    def scheduled(self, name: str, namespace: str = TEAM) -> list[dict[str, Any]]:
        """Run a CronJob now; return the lines of its Pod's logs that are JSON objects, in order."""
        self.kubectl("create", "job", f"--from=cronjob/{name}", f"{name}-now", namespace=namespace)
        return self.ended(f"{name}-now", namespace)

    def ended(self, job: str, namespace: str = TEAM) -> list[dict[str, Any]]:
        """Wait until a Job has succeeded; return the lines of its logs that are JSON objects, in order."""
        batch: Any = kubernetes.client.BatchV1Api(self.kubernetes())

        def over() -> bool:
            conditions = batch.read_namespaced_job(job, namespace).status.conditions or ()
            # A Pod that failed may be repeated.
            return any(
                entry.type in ("Complete", "Failed") and entry.status == "True" for entry in conditions
            )

        eventually(f"the Job {job} has ended", over, ENDED)
        logs = self.logs(job, namespace)
        assert batch.read_namespaced_job(job, namespace).status.succeeded == 1, logs
        lines = [line for text in logs.values() for line in text.splitlines()]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def logs(self, job: str, namespace: str = TEAM) -> dict[str, str]:
        """Return container -> log of the last Pod of a Job."""
        core = self.core()
        label = f"batch.kubernetes.io/job-name={job}"
        pod = core.list_namespaced_pod(namespace, label_selector=label).items[-1]
        containers = [*(pod.spec.init_containers or ()), *pod.spec.containers]
        return {
            entry.name: core.read_namespaced_pod_log(pod.metadata.name, namespace, container=entry.name)
            for entry in containers
        }

    def running(self, name: str, namespace: str, replicas: int, seconds: float = 240) -> list[Any]:
        """Wait until the Pods of a Deployment are ready; return them."""
        apps, core = self.apps(), self.core()

        def ready() -> bool:
            return (apps.read_namespaced_deployment(name, namespace).status.ready_replicas or 0) == replicas

        eventually(f"the Pods of {name} are ready", ready, seconds)
        label = f"app.kubernetes.io/name={name}"
        return core.list_namespaced_pod(namespace, label_selector=label).items


def simulated(folder: Path) -> dict[str, list[str]]:
    """Return the clicks of the simulated shop: the key of each day's file -> its lines."""
    python = environments.commands(EXAMPLE / "training") / "python"
    first = datetime.now(UTC).date() - timedelta(days=DAYS)
    words = ["--first-day", str(first), "--days", str(DAYS), "--count", str(CLICKS), "--broken", str(BROKEN)]
    subprocess.run(
        [str(python), "-m", "shop", str(folder), *words],
        env={**os.environ, "PYTHONPATH": str(EXAMPLE)},
        check=True,
        capture_output=True,
    )
    return {f"clicks/{file.name}": file.read_text().splitlines() for file in sorted(folder.iterdir())}
