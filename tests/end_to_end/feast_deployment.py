"""A feature store that is deployed on the twin, and Feast that uses it with the platform's identities."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
import pyarrow as pa
from kubernetes import client as kubernetes_client
from pyiceberg.catalog import load_catalog

from tests.end_to_end import pods
from tests.end_to_end.clients import command, environment, run
from tests.end_to_end.harness import ROOT
from tests.end_to_end.plain import Base, Plain
from tests.end_to_end.postgres import free_port
from twin import environment as variables

NAMESPACE = "feature-store"
MOUNTED = "/etc/feast"
ROWS = 10_000
DRIVERS = 5_000
FIRST = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(hours=6)
"""The time of each driver's first value, in UTC; that of the second is two hours later."""
LATER = FIRST + timedelta(hours=2)
READERS: Final = ("reader", "rival")
"""Principals that read; the second one has no grant on the table."""


def program(base: Base, kubeconfig: str, asking: Sequence[str] = READERS) -> None:
    from aiplatform.feature_store import FeatureStore
    from aiplatform.lakehouse import Lakehouse
    from aiplatform.workload_identity import WorkloadIdentity

    account = aws.get_caller_identity().account_id
    cluster = aws.eks.get_cluster(name=base.cluster)
    nodes = aws.eks.NodeGroup(
        "nodes",
        cluster_name=base.cluster,
        node_role_arn=base.node_role_arn,
        subnet_ids=base.subnet_ids,
        instance_types=["m6i.large"],
        scaling_config=aws.eks.NodeGroupScalingConfigArgs(min_size=2, max_size=2, desired_size=2),
    )
    provider = kubernetes.Provider("kubernetes", kubeconfig=kubeconfig)
    roles = {name: _role(name, account) for name in ("applier", "reader", "rival", "stranger")}
    reference: Any = {
        "name": base.cluster,
        "security_group_id": cluster.vpc_config.cluster_security_group_id,
    }
    materializer = WorkloadIdentity(
        "materializer",
        {
            "prefix": "acme-feast",
            "name": "features",
            "cluster": reference,
            "namespace": NAMESPACE,
            "service_account": "feature-materializer",
        },
    )
    readers: dict[str, pulumi.Input[str]] = {
        **{name: f"arn:aws:iam::{account}:role/acme-feast-{name}" for name in ("applier", "reader")},
        "materializer": materializer.principal,
    }
    lake = Lakehouse(
        "lake",
        {
            "prefix": "acme-feast",
            "force_destroy": True,
            "writers": [f"arn:aws:iam::{account}:role/acme-feast-applier"],
            "tables": [
                {
                    "zone": "serving",
                    "name": "driver_stats",
                    "owner": "drivers@acme.example",
                    "columns": [
                        {"name": "driver_id", "type": "long", "required": True},
                        {"name": "event_timestamp", "type": "timestamptz", "required": True},
                        {"name": "conversion_rate", "type": "double"},
                        {"name": "trips_today", "type": "long"},
                    ],
                }
            ],
            "grants": [
                {
                    "name": name,
                    "principal": principal,
                    "actions": ["read"],
                    "tables": ["serving.driver_stats"],
                }
                for name, principal in readers.items()
            ],
        },
        pulumi.ResourceOptions(depends_on=list(roles.values())),
    )
    store = FeatureStore(
        "features",
        {
            "prefix": "acme-feast",
            "cluster": reference,
            "lakehouse": lake.outputs,  # pyright: ignore[reportArgumentType]
            "materializer": materializer.outputs,  # pyright: ignore[reportArgumentType]
            "feature_views": ["driver_stats"],
            "backup_days": 7,
            "force_destroy": True,
            "server": {"metrics": True},
            "appliers": [f"arn:aws:iam::{account}:role/acme-feast-applier"],
            "readers": [f"arn:aws:iam::{account}:role/acme-feast-{name}" for name in asking],
        },
        pulumi.ResourceOptions(providers=[provider], depends_on=[nodes, *roles.values()]),
    )
    pulumi.export("features", store.outputs)
    pulumi.export("lake", lake.outputs)


def _role(name: str, account: str) -> aws.iam.Role:
    return aws.iam.Role(
        name,
        name=f"acme-feast-{name}",
        assume_role_policy=trusting(f"arn:aws:iam::{account}:root"),
    )


def trusting(principal: str) -> str:
    """Return the trust policy of a role that a principal may assume."""
    allowed = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


class Features:
    """A deployed feature store, with rows in the lakehouse's table."""

    def __init__(self, plain: Plain, base: Base, outputs: Mapping[str, Any]) -> None:
        self.plain, self.base = plain, base
        self.metrics_port = free_port()
        self._cluster = plain.kubernetes()
        self.outputs = outputs["features"]
        self.client_outputs: dict[str, Any] = {
            client["principal"].rpartition("-")[2]: client for client in self.outputs["clients"]
        }
        """Principal -> what the platform outputs for its use of Feast."""
        zones = {zone["name"]: zone for zone in outputs["lake"]["zones"]}
        self.database = zones["serving"]["database"]
        self._write()

    def client(self, who: str, do: str, **more: Any) -> dict[str, Any]:
        """Run an action of Feast as a role, with its file; a role without a file uses the reader's."""
        payload = {
            "folder": str(ROOT / "examples" / "feature_store"),
            "yaml": self.client_outputs.get(who, self.client_outputs["reader"])["feature_store_yaml"],
            "do": do,
            **more,
        }
        return run("feast", "store", payload, self._person(who))

    def aws(self, who: str, service: str) -> Any:
        """Return a boto3 client of a role."""
        return pods.client(self.plain, self._person(who), service)

    def scheduled(self) -> None:
        """Run the CronJob's command on this machine, with the role of its Pods."""
        api = kubernetes_client.BatchV1Api(self._cluster)
        job: Any = api.read_namespaced_cron_job("feature-materializer", NAMESPACE)
        [container] = job.spec.job_template.spec.template.spec.containers
        with tempfile.TemporaryDirectory() as folder:
            self._configured(folder)
            done = subprocess.run(
                [*command("feast"), *(word.replace(MOUNTED, folder) for word in container.command)],
                env=environment("feast", self._pod("feature-materializer")),
                capture_output=True,
                text=True,
                timeout=240,
                check=False,
            )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]

    def metrics(self) -> str:
        """Return what Prometheus reads from the running server; empty while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/", timeout=20) as response:
                return response.read().decode()
        except OSError:
            return ""

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Run the Deployment's command on loopback, with the role of its Pods; yield the URL."""
        deployment: Any = kubernetes_client.AppsV1Api(self._cluster).read_namespaced_deployment(
            "feature-server", NAMESPACE
        )
        [container] = deployment.spec.template.spec.containers
        port = free_port()
        with tempfile.TemporaryDirectory() as folder:
            self._configured(folder)
            here: dict[str, str] = {MOUNTED: folder, "0.0.0.0": "127.0.0.1", "6566": str(port)}  # noqa: S104
            words: list[str] = container.command
            server = subprocess.Popen(
                [*command("feast"), *(here.get(word, word) for word in words)],
                env=environment(
                    "feast", {**self._pod("feature-server"), **_metrics_at(self.metrics_port, folder)}
                ),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                os.killpg(server.pid, signal.SIGTERM)
                server.wait(30)

    def _configured(self, folder: str) -> None:
        """Write the files of the ConfigMap, as Pods mount them."""
        core = kubernetes_client.CoreV1Api(self._cluster)
        config_map: Any = core.read_namespaced_config_map("feature-server", NAMESPACE)
        data: dict[str, str] = config_map.data
        assert data.keys() == {"feature_store.yaml", "materialize.py"}
        assert data["feature_store.yaml"] == self.outputs["feature_store_yaml"]
        for name, text in data.items():
            (Path(folder) / name).write_text(text)

    def _pod(self, account: str) -> dict[str, str]:
        """Return the variables of a service account's Pods."""
        return self._here(pods.session_of(self.plain, self.base.cluster, NAMESPACE, account))

    def _person(self, who: str) -> dict[str, str]:
        """Return the variables of a session of a person's role."""
        sts = self.plain.aws("sts")
        role = f"arn:aws:iam::{sts.get_caller_identity()['Account']}:role/acme-feast-{who}"
        return self._here(pods.assumed(sts, role))

    def _here(self, session: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of a session, of the twin's endpoint and of the table's database."""
        return {**session, **pods.place(self.plain), "LAKEHOUSE_DATABASE": self.database}

    def _write(self) -> None:
        """Write two values for each driver, by PyIceberg."""
        env_vars = variables.environment(self.plain.instance)
        place = {
            "endpoint": env_vars["AWS_ENDPOINT_URL"],
            "region": self.plain.instance.region,
            "access-key-id": env_vars["AWS_ACCESS_KEY_ID"],
            "secret-access-key": env_vars["AWS_SECRET_ACCESS_KEY"],
        }
        catalog = load_catalog(
            "glue",
            type="glue",
            **{f"{service}.{key}": value for service in ("glue", "s3") for key, value in place.items()},
        )
        drivers = list(range(DRIVERS)) * 2
        seconds = [0] * DRIVERS + [1] * DRIVERS
        values = {
            "driver_id": drivers,
            "event_timestamp": [(LATER if second else FIRST).replace(tzinfo=UTC) for second in seconds],
            "conversion_rate": [
                driver / DRIVERS + second for driver, second in zip(drivers, seconds, strict=True)
            ],
            "trips_today": [driver + second for driver, second in zip(drivers, seconds, strict=True)],
        }
        schema = pa.schema(
            [
                pa.field("driver_id", pa.int64(), nullable=False),
                pa.field("event_timestamp", pa.timestamp("us", tz="UTC"), nullable=False),
                pa.field("conversion_rate", pa.float64()),
                pa.field("trips_today", pa.int64()),
            ]
        )
        rows = pa.table(values, schema=schema)
        assert len(rows) == ROWS
        catalog.load_table(f"{self.database}.driver_stats").append(rows)


def _metrics_at(port: int, folder: str) -> dict[str, str]:
    """Return variables with which Feast serves metrics at another port than 8000, for which it has no
    option."""
    (Path(folder) / "sitecustomize.py").write_text(
        "from feast.metrics import start_metrics_server as start\n"
        f"start.__defaults__ = ({port}, *start.__defaults__[1:])\n"
    )
    return {"PYTHONPATH": folder}


def request_json(url: str, question: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """Return the answer of a server on loopback; None while it does not respond."""
    body = None if question is None else json.dumps(question).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
            return json.loads(response.read() or b"{}") or {}
    except (urllib.error.URLError, ConnectionError):
        return None


def refused(url: str, question: Mapping[str, Any]) -> int:
    """Return the status with which a server on loopback refuses a request; 0 where it accepts it."""
    body = json.dumps(question).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60):  # noqa: S310
            return 0
    except urllib.error.HTTPError as error:
        return error.code
