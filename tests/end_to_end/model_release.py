"""The Jobs of `aiplatform model` on the twin: they run the real program, with the identity of their Pod."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pulumi_aws as aws
from ruamel.yaml import YAML

from cli.model.jobs import CONFIGURATION, NAMESPACE
from tests.end_to_end.mlflow_deployment import Registry
from tests.end_to_end.plain import Base, Plain
from tests.end_to_end.team_pod import registry_reached

MODEL: Final = "training/fares"
REGISTERED: Final = "training.fares"
BUCKET: Final = "acme-ml-releases"
IMAGE: Final = "registry.example/ai-platform/model-release@sha256:" + "0" * 64
_FILES: Final = "model-release-files"
_CA: Final = "registry-ca.pem"
_TAGS: Final = {
    "ai-platform.snapshots": '{"curated.orders": 5123}',
    "ai-platform.feature_views": "{}",
    "ai-platform.code_commit": "0123456789abcdef0123456789abcdef01234567",
    "ai-platform.image": "registry.example/train@sha256:" + "a" * 64,
    "ai-platform.evaluation_set": "curated.holdout@5124",
}
_CARD: Final = {
    "data": "Fares of 2025.",
    "evaluation": "AUC on the fares of January 2026.",
    "owner": "fares@acme.example",
    "limits": "Only for fares in Europe.",
    "licence": "apache-2.0",
}


class Releases:
    """The namespace `release` of a cluster, whose ServiceAccount `promoter` has the role of the registry's
    account that promotes, and a bucket in which this role creates objects and deletes none."""

    def __init__(self, plain: Plain, base: Base, registry: Registry) -> None:
        self.plain, self._base, self._registry = plain, base, registry
        self._core: Any = plain.core()
        self._reached = registry_reached(plain, registry.outputs["namespace"], registry.port)
        self._stack = plain.stack("releases", self._program)

    def __enter__(self) -> Self:
        """Deploy it."""
        self._stack.up()
        secrets = {entry["account"]: entry["secret"] for entry in self._registry.outputs["secrets"]}
        data = {
            "IMAGE": IMAGE,
            "RELEASES_URI": f"s3://{BUCKET}",
            "MLFLOW_TRACKING_URI": self._registry.outputs["tracking_uri"],
            "MLFLOW_ACCOUNT_SECRET": secrets["release"],
            "MLFLOW_TRACKING_SERVER_CERT_PATH": f"/etc/model-release/{_CA}",
            "PROFILE": "prod",
            "GUARDED_ALIASES": "champion",
            "AWS_REGION": self.plain.instance.region,
        }
        self._core.create_namespace(
            {
                "metadata": {
                    "name": NAMESPACE,
                    "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
                }
            }
        )
        self._core.create_namespaced_service_account(NAMESPACE, {"metadata": {"name": "promoter"}})
        certificate = {_CA: self._registry.certificate.read_text()}
        for name, content in ((CONFIGURATION, data), (_FILES, certificate)):
            self._core.create_namespaced_config_map(NAMESPACE, {"metadata": {"name": name}, "data": content})
        self._reached.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Destroy it."""
        self._reached.__exit__(None, None, None)
        self._core.delete_namespace(NAMESPACE)
        self._stack.destroy()

    def _program(self) -> None:
        bucket = aws.s3.Bucket("releases", bucket=BUCKET, force_destroy=True)
        arn = f"arn:aws:s3:::{BUCKET}"
        statements = [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn},
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{arn}/*"},
        ]
        aws.iam.RolePolicy(
            "releases",
            role="models-release",
            policy=json.dumps({"Version": "2012-10-17", "Statement": statements}),
        )
        aws.eks.PodIdentityAssociation(
            "promoter",
            cluster_name=self._base.cluster,
            namespace=NAMESPACE,
            service_account="promoter",
            role_arn=f"arn:aws:iam::{self.plain.instance.account}:role/models-release",
        )
        assert bucket

    def version(self, tags: Mapping[str, str] = _TAGS, **metrics: float) -> str:
        """Train and register a version as the account `training`; return its number."""
        logged = self._registry.user(
            "training", "log_for_release", model=REGISTERED, tags=tags, card=_CARD, metrics=metrics
        )
        return str(logged["version"])

    def run(self, command: str, *arguments: str) -> str:
        """Run `aiplatform model COMMAND`; return its output."""
        return self._cli(command, *arguments, check=True).stdout

    def refused(self, command: str, *arguments: str) -> str:
        """Run a command that is refused; return why."""
        done = self._cli(command, *arguments, check=False)
        assert done.returncode == 1, done.stdout
        return done.stderr

    def _cli(self, command: str, *arguments: str, check: bool) -> Any:
        cluster = ("--kubeconfig", str(self._kubeconfig()))
        return self.plain.cli("model", command, "aws-dev", MODEL, *arguments, *cluster, check=check)

    def _kubeconfig(self) -> Path:
        """Write the twin's kubeconfig with the name of aws-dev's cluster, which the command expects."""
        file = self.plain.home / "aws-dev.kubeconfig"
        content: Any = YAML(typ="safe").load(self.plain.instance.kubeconfig)
        content["clusters"][0]["name"] = content["contexts"][0]["context"]["cluster"] = "acme-dev-cluster"
        with file.open("w") as stream:
            YAML().dump(content, stream)
        return file

    def champion(self) -> str:
        """Return the version that MLflow's alias is at."""
        path = f"registered-models/get?name={REGISTERED}"
        aliases = self._registry.read("training", path)["registered_model"]["aliases"]
        return {entry["alias"]: entry["version"] for entry in aliases}["champion"]

    def files(self, version: str) -> dict[str, bytes]:
        """Return the objects of a release."""
        s3, prefix = self.plain.aws("s3"), f"{MODEL}/{version}/"
        keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]]
        return {
            key.removeprefix(prefix): s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys
        }
