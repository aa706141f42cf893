"""Run MLflow's containers on this machine, for tests/end_to_end/test_mlflow.py.

Arguments, variables and files are those of the objects in the cluster; only addresses and folders are
replaced. The twin has the bucket, the secrets, the identities and IAM; a real PostgreSQL behind a proxy that
requires TLS and IAM's tokens has the role of RDS.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kubernetes
import pulumi
import pulumi_aws as aws
import pulumi_kubernetes
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.end_to_end import clients, pods
from tests.end_to_end.plain import Base, Plain
from tests.end_to_end.postgres import Postgres, free_port
from tests.end_to_end.rds_proxy import RdsProxy
from twin.aws.iam import policy_statements
from twin.tests.waiting import eventually

SPACE = "model-registry"
PEOPLE = ("training", "release")
NAMES = ("localhost", f"mlflow.{SPACE}.svc.cluster.local")
"""The names of the server: here, and of its Service."""


def program(base: Base, kubeconfig: str) -> None:
    """Declare a model registry on the base's cluster, with an account that trains and one that promotes."""
    from aiplatform.model_registry import ModelRegistry

    account = aws.get_caller_identity().account_id
    cluster = aws.eks.get_cluster(name=base.cluster)
    provider = pulumi_kubernetes.Provider("kubernetes", kubeconfig=kubeconfig)
    nodes = aws.eks.NodeGroup(
        "models",
        cluster_name=base.cluster,
        node_role_arn=base.node_role_arn,
        subnet_ids=base.subnet_ids,
        instance_types=["m7i.large"],
        scaling_config=aws.eks.NodeGroupScalingConfigArgs(min_size=1, max_size=1, desired_size=1),
    )
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    # The account that promotes is also that of a Job in the cluster (model_release.py).
    pods = {
        "Effect": "Allow",
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [root, pods]})
    roles = {
        person: aws.iam.Role(person, name=f"models-{person}", assume_role_policy=trust) for person in PEOPLE
    }
    registry = ModelRegistry(
        "models",
        {
            "prefix": "acme-ml",
            "cluster": {
                "name": base.cluster,
                "security_group_id": cluster.vpc_config.cluster_security_group_id,
            },
            "network": {
                "vpc_id": base.vpc_id,
                "cidr": "10.0.0.0/16",
                "private_subnet_ids": base.subnet_ids,
            },
            "accounts": {
                "training": {"principals": [roles["training"].arn]},
                "release": {"principals": [roles["release"].arn], "promotes": True},
            },
            "workers": 1,
            "metrics": True,
            "tls_secret": "mlflow-tls",
            "force_destroy": True,
        },
        pulumi.ResourceOptions(providers=[provider], depends_on=[nodes]),
    )
    pulumi.export("models", registry.outputs)


class Registry:
    """The deployed registry, and its containers on this machine."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self.folder = Path(tempfile.mkdtemp(prefix="models."))
        self.api = plain.kubernetes()
        self.port = free_port()
        self._sessions: dict[str, dict[str, str]] = {}
        self._server: subprocess.Popen[bytes] | None = None
        self._ends: list[Callable[[], None]] = [lambda: shutil.rmtree(self.folder)]

    def open(self, outputs: Mapping[str, Any]) -> None:
        """Start the database, and write the files."""
        self.outputs = outputs
        self._database()
        self._files()

    def end(self) -> None:
        """Stop all processes and delete the files."""
        self.stop()
        for end in reversed(self._ends):
            end()

    def _database(self) -> None:
        """Start the instance that RDS created: its master user has the password of its secret."""
        instance = self.plain.aws("rds").describe_db_instances()["DBInstances"][0]
        self.endpoint, self.resource = instance["Endpoint"]["Address"], instance["DbiResourceId"]
        secret = self.plain.aws("secretsmanager").get_secret_value(
            SecretId=instance["MasterUserSecret"]["SecretArn"]
        )
        master = json.loads(secret["SecretString"])
        self.postgres = Postgres(Path(clients.run("mlflow", "installed", {})["packages"]))
        self._ends.append(self.postgres.stop)
        self.postgres.initialize(master["username"], master["password"])
        self.certificate, self.key = _certificate(self.folder)
        self.proxy = RdsProxy(
            self.postgres,
            "localhost",
            self.plain.instance.region,
            self.certificate,
            self.key,
            self._secrets,
            self._allowed,
        )
        self.proxy.open()
        self._ends.append(self.proxy.close)

    def _files(self) -> None:
        """Write the ConfigMap's files; the database's CA is that of the proxy."""
        core: Any = kubernetes.client.CoreV1Api(self.api)
        data = core.read_namespaced_config_map("mlflow", SPACE).data
        volume = next(volume for volume in self._template("deployment").spec.volumes if volume.config_map)
        for item in volume.config_map.items:
            path = self.folder / "files" / item.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(data[item.key])
        (self.folder / "files" / "database-ca.pem").write_text(self.certificate.read_text())

    def _template(self, what: str) -> Any:
        """Return the Pod template of the Deployment, or of the Job with this prefix."""
        if what == "deployment":
            apps: Any = kubernetes.client.AppsV1Api(self.api)
            return apps.read_namespaced_deployment("mlflow", SPACE).spec.template
        batch: Any = kubernetes.client.BatchV1Api(self.api)
        jobs = batch.list_namespaced_job(SPACE).items
        return next(job.spec.template for job in jobs if job.metadata.name.startswith(what))

    def job(self, name: str) -> list[str]:
        """Run a Job's containers one after the other; return their outputs."""
        pod = self._template(name).spec
        return [
            self._run(container, pod.service_account_name)
            for container in [*pod.init_containers, *pod.containers]
        ]

    def declare(self, accounts: Sequence[str]) -> str:
        """Run the Job's step for accounts with only these declared; return its output."""
        pod = self._template("mlflow-migrate").spec
        secrets = {entry["account"]: entry["secret"] for entry in self.outputs["secrets"]}
        declared = json.dumps({account: secrets[account] for account in accounts})
        return self._run(pod.containers[0], pod.service_account_name, {"REGISTRY_ACCOUNT_SECRETS": declared})

    def _run(self, container: Any, account: str, more: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            self._command(container),
            env={**self._variables(container, account), **(more or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, f"{container.name}: {done.stdout[-1000:]}{done.stderr[-3000:]}"
        return done.stdout

    def start(self) -> None:
        """Run the server's container until `stop`."""
        pod = self._template("deployment").spec
        with (self.folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                self._command(pod.containers[0]),
                env=self._variables(pod.containers[0], pod.service_account_name),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(f"MLflow answers ({self.folder}/server.log)", self._healthy, 120)

    @contextmanager
    def exporting(self) -> Iterator[Callable[[], str]]:
        """Run the container that serves metrics; yield a function that scrapes it."""
        pod, port = self._template("deployment").spec, free_port()
        command = [str(port) if word == "8000" else word for word in self._command(pod.containers[1])]
        exporter = subprocess.Popen(
            command, env=self._variables(pod.containers[1], pod.service_account_name), start_new_session=True
        )

        def scrape() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                return answer.read().decode()

        def answers() -> bool:
            try:
                return bool(scrape())
            except OSError:
                return False

        try:
            eventually("the exporter answers", answers, 60)
            yield scrape
        finally:
            os.killpg(exporter.pid, 15)
            exporter.wait(30)

    def _healthy(self) -> bool:
        assert self._server is not None
        assert self._server.poll() is None, (self.folder / "server.log").read_text()[-3000:]
        return self.ask("/health")[0] == 200

    def stop(self) -> None:
        """Stop the server as the kubelet does: SIGTERM, and the Pod's grace period."""
        if self._server is not None:
            os.killpg(self._server.pid, 15)
            self._server.wait(60)
            self._server = None

    def _command(self, container: Any) -> Sequence[str]:
        return [*clients.command("mlflow"), *map(self._here, [*container.command, *container.args])]

    def _variables(self, container: Any, account: str) -> dict[str, str]:
        """Return the container's variables, and those of Pod Identity."""
        declared = {variable.name: self._here(variable.value) for variable in container.env}
        port = (
            {"REGISTRY_DATABASE_PORT": str(self.proxy.port)} if "REGISTRY_DATABASE_PORT" in declared else {}
        )
        return clients.environment("mlflow", {**declared, **port, **self._identity(account)})

    def _here(self, text: str) -> str:
        """Return a text of the cluster with the addresses and folders of this machine."""
        for there, here in (
            (f"{self.endpoint}:5432", f"localhost:{self.proxy.port}"),
            (self.endpoint, "localhost"),
            ("/opt/registry", str(self.folder / "files")),
            # In a cluster cert-manager issues it: a certificate for the server's host name.
            ("/opt/tls/tls.crt", str(self.certificate)),
            ("/opt/tls/tls.key", str(self.key)),
            ("--host=0.0.0.0", "--host=127.0.0.1"),
            ("--port=5000", f"--port={self.port}"),
            ("/opt/metrics", str(self.folder / "metrics")),
        ):
            text = text.replace(there, here)
        return str(self.folder) if text == "/tmp" else text  # noqa: S108 - a folder of the Pod

    def _identity(self, account: str) -> dict[str, str]:
        """Return the variables of a service account's Pods, whose session the database's proxy knows."""
        [cluster] = self.plain.aws("eks").list_clusters()["clusters"]
        session = pods.session_of(self.plain, cluster, SPACE, account)
        self._sessions[session["AWS_ACCESS_KEY_ID"]] = session
        return {"AWS_ENDPOINT_URL": pods.place(self.plain)["AWS_ENDPOINT_URL"], **session}

    def as_role(self, who: str, service: str) -> Any:
        """Return a boto3 client of a person's role."""
        arn = f"arn:aws:iam::{self.plain.instance.account}:role/models-{who}"
        return pods.client(self.plain, pods.assumed(self.plain.aws("sts"), arn), service)

    def _secrets(self, key: str) -> Credentials | None:
        known = self._sessions.get(key)
        if known is None:
            return None
        return Credentials(key, known["AWS_SECRET_ACCESS_KEY"], known["AWS_SESSION_TOKEN"])

    def _allowed(self, credentials: Credentials, user: str) -> bool:
        """Return whether the policies of these credentials' role allow it to connect as a database user."""
        session = self._sessions[str(credentials.access_key)]
        region, instance = self.plain.instance.region, self.plain.instance
        arn = pods.client(self.plain, session, "sts").get_caller_identity()["Arn"]
        role, iam = arn.split("/")[1], self.plain.aws("iam")
        documents = [
            iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        ]
        resource = f"arn:aws:rds-db:{region}:{instance.account}:dbuser:{self.resource}/{user}"
        return policy_statements.allows(documents, "rds-db:connect", resource, {})

    def password(self, account: str) -> str:
        """Return an account's password, read from its secret with the account's role."""
        [secret] = [entry["secret"] for entry in self.outputs["secrets"] if entry["account"] == account]
        value = self.as_role(account, "secretsmanager").get_secret_value(SecretId=secret)
        return json.loads(value["SecretString"])["password"]

    def signed_in(self, account: str, password: str) -> int:
        """Return the status of a request with an account's name and a password."""
        return self._ask_as(account, password, "/api/2.0/mlflow/users/current")[0]

    def read(self, account: str, path: str) -> Any:
        """Return the answer of the server's API to an account."""
        status, body = self._ask_as(account, self.password(account), f"/api/2.0/mlflow/{path}")
        assert status == 200, body
        return json.loads(body)

    def _ask_as(self, account: str, password: str, path: str) -> tuple[int, bytes]:
        encoded = base64.b64encode(f"{account}:{password}".encode()).decode()
        return self.ask(path, Authorization=f"Basic {encoded}")

    def user(self, account: str, do: str, **more: Any) -> dict[str, Any]:
        """Run an action of MLflow's client as an account."""
        return self._client("models", account, do=do, **more)

    def _client(self, script: str, account: str, **more: Any) -> dict[str, Any]:
        payload = {"uri": f"https://localhost:{self.port}", "account": account, **more}
        trust = {"MLFLOW_TRACKING_SERVER_CERT_PATH": str(self.certificate)}
        return clients.run("mlflow", script, {**payload, "password": self.password(account)}, trust)

    def ask(self, path: str, **headers: str) -> tuple[int, bytes]:
        """Send a request without an account; return status and body."""
        request = urllib.request.Request(f"https://localhost:{self.port}{path}", headers=headers)
        trust = ssl.create_default_context(cafile=str(self.certificate))
        try:
            with urllib.request.urlopen(request, timeout=10, context=trust) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Write a self-signed certificate for the server's names and its key; return their files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a database on loopback")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in NAMES]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "proxy.pem", folder / "proxy.key"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return certificate, secret
