"""A team next to a model registry and a lakehouse, and a Pod of it that uses both without configuration.

The arguments of the team are those that the platform's program makes of an environment's file. External
Secrets does not run on this twin, so the test does what it does for an ExternalSecret.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

import kubernetes
import pulumi
import pulumi_aws as aws
import pulumi_kubernetes

from stacks.loading import load_file
from stacks.team_arguments import MOUNTED_AT, Offered, teams
from tests.end_to_end import clients, pods
from tests.end_to_end.guardrail_objects import spec
from tests.end_to_end.guardrails import definition
from tests.end_to_end.harness import Twin
from tests.end_to_end.plain import Base, Plain
from tests.end_to_end.tables import ORDERS
from tests.stacks.test_google_files import changed
from twin.kubernetes import egress
from twin.kubernetes.processes import addresses
from twin.tests.waiting import eventually

TEAM: Final = "training"
_CA: Final = "registry-ca.pem"
_SERVER: Final = "100.96.0.80"
"""The address of the registry's server among the Pods."""
_GROUP: Final = "external-secrets.io"
_KINDS: Final = {"SecretStore": "secretstores", "ExternalSecret": "externalsecrets"}


class Team:
    """The team `training`, whose account the registry has.

    registry: outputs of the model registry. folder: for the environment's file. certificate: of the
    registry's server.
    """

    def __init__(
        self, plain: Plain, base: Base, registry: Mapping[str, Any], folder: Path, certificate: Path
    ) -> None:
        self.plain, self._base, self._registry = plain, base, registry
        self._folder, self._certificate = folder, certificate
        self.core: Any = plain.core()
        self._objects: Any = kubernetes.client.CustomObjectsApi(plain.kubernetes())
        self._extensions: Any = kubernetes.client.ApiextensionsV1Api(plain.kubernetes())
        self.stack = plain.stack("team", self._program)

    def deploy(self) -> None:
        """Deploy it, and write a row of its table and the Secret of its account."""
        for kind, plural in _KINDS.items():
            self._extensions.create_custom_resource_definition(definition(_GROUP, "v1", kind, plural))
        self._append(self.stack.up().outputs["lake"].value)
        self._write_secret()

    def remove(self) -> None:
        """Destroy it."""
        self.stack.destroy()
        for plural in _KINDS.values():
            self._extensions.delete_custom_resource_definition(f"{plural}.{_GROUP}")

    def _program(self) -> None:
        from aiplatform.lakehouse import Lakehouse
        from aiplatform.teams import Teams
        from aiplatform.workload_identity import WorkloadIdentity

        account = aws.get_caller_identity().account_id
        root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [{**root, "Action": "sts:AssumeRole"}]})
        roles = {
            name: aws.iam.Role(name, name=f"team-{name}", assume_role_policy=trust)
            for name in ("owner", "pipeline", "external-secrets")
        }
        assume = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"}
        aws.iam.RolePolicy(
            "external-secrets",
            role=roles["external-secrets"].name,
            policy=json.dumps({"Version": "2012-10-17", "Statement": [assume]}),
        )
        owner = f"arn:aws:iam::{account}:role/team-owner"
        declared = {
            "owners": [owner],
            # The certificate of the registry's server is not of a public authority.
            "configuration": {"MLFLOW_TRACKING_SERVER_CERT_PATH": f"{MOUNTED_AT}/{_CA}"},
            "files": {_CA: self._certificate.read_text()},
        }
        settings = load_file(changed(self._folder, {"teams": {TEAM: declared}}, "aws-dev"))
        prefix = settings.environment.prefix
        cluster: Any = {"name": self._base.cluster, "security_group_id": "sg-1"}
        stated = settings.identities[TEAM]
        identity = WorkloadIdentity(
            TEAM,
            {
                "prefix": prefix,
                "name": TEAM,
                "cluster": cluster,
                "namespace": stated.namespace,
                "service_account": stated.service_account,
            },
        )
        lake = Lakehouse(
            "lake",
            {
                "prefix": prefix,
                "force_destroy": True,
                "writers": [f"arn:aws:iam::{account}:role/team-pipeline"],
                "tables": [ORDERS],
                "grants": [
                    {
                        "name": TEAM,
                        "principal": identity.principal,
                        "actions": ["read"],
                        "tables": ["curated.orders"],
                        "classifications": ["public", "internal", "pii"],
                    }
                ],
            },
            pulumi.ResourceOptions(depends_on=list(roles.values())),
        )
        offered = Offered(
            cluster=cluster,
            workload_identities={**dict.fromkeys(settings.identities), TEAM: identity.outputs},
            addons={
                "versions": {"external-secrets": "2.9.0"},
                "secrets_role_arn": roles["external-secrets"].arn,
            },
            lakehouse=lake.outputs,
            model_registry=self._registry,
        )
        provider = pulumi_kubernetes.Provider(
            "kubernetes", kubeconfig=self.plain.instance.kubeconfig.read_text()
        )
        options = pulumi.ResourceOptions(providers=[provider], depends_on=list(roles.values()))
        Teams("teams", teams(settings, offered), options)
        pulumi.export("lake", lake.outputs)

    def _append(self, lake: Mapping[str, Any]) -> None:
        """Write two orders as the pipeline."""
        [table] = lake["tables"]
        self.table = f"{table['database']}.{table['name']}"
        row = {"placed_at": "2026-11-01T09:00:00+00:00", "email": "a@x.example"}
        ask = {
            "do": "append_as_writer",
            "identity": self._assumed("team-pipeline"),
            "rows": [{"order_id": number, **row} for number in ("1", "2")],
        }
        payload = {"lake": lake, "table": self.table, "asks": [ask]}
        assert clients.run("pyiceberg", "lake", payload, pods.place(self.plain)) == {"answers": [{"rows": 2}]}

    def _assumed(self, role: str) -> dict[str, str]:
        arn = f"arn:aws:iam::{self.plain.instance.account}:role/{role}"
        return pods.assumed(self.plain.aws("sts"), arn)

    def _write_secret(self) -> None:
        """Write the Secret of each ExternalSecret, with the role and the session tags of its SecretStore."""
        stores = self._objects_of("SecretStore")
        for external in self._objects_of("ExternalSecret"):
            name = external["spec"]["secretStoreRef"]["name"]
            [store] = [store for store in stores if store["metadata"]["name"] == name]
            provider = store["spec"]["provider"]["aws"]
            tags = {"esoNamespace": TEAM, "esoStoreName": name, "esoStoreKind": "SecretStore"}
            sts = pods.client(self.plain, self._assumed("team-external-secrets"), "sts")
            manager = pods.client(self.plain, pods.assumed(sts, provider["role"], tags), "secretsmanager")
            data: dict[str, str] = {}
            for entry in external["spec"]["data"]:
                reference = entry["remoteRef"]
                value = manager.get_secret_value(SecretId=reference["key"])["SecretString"]
                data[entry["secretKey"]] = json.loads(value)[reference["property"]]
            body = {"metadata": {"name": external["spec"]["target"]["name"]}, "stringData": data}
            self.core.create_namespaced_secret(TEAM, body)

    def _objects_of(self, kind: str) -> list[dict[str, Any]]:
        return self._objects.list_namespaced_custom_object(_GROUP, "v1", TEAM, _KINDS[kind])["items"]

    def reaches(self, port: int) -> AbstractContextManager[None]:
        """Let the registry's Service lead to a port of localhost, where its server listens."""
        return registry_reached(self.plain, self._registry["namespace"], port)

    def run(self) -> dict[str, str]:
        """Run a Pod with the ConfigMaps and the Secret of the team, and nothing else; return its logs."""
        restricted = spec()["containers"][0]["securityContext"]
        container = {
            "securityContext": restricted,
            "envFrom": [{"configMapRef": {"name": "platform"}}, {"secretRef": {"name": "mlflow"}}],
            "volumeMounts": [{"name": "platform", "mountPath": MOUNTED_AT}],
        }
        containers = [
            {**container, "name": "metric", "image": "registry.example/team/metric:1"},
            {**container, "name": "rows", "image": "registry.example/team/rows:1", "args": [self.table]},
        ]
        body = {
            "metadata": {"name": "client"},
            "spec": {
                "serviceAccountName": self.core.list_namespaced_service_account(
                    TEAM, label_selector=f"ai-platform/team={TEAM}"
                )
                .items[0]
                .metadata.name,
                "restartPolicy": "Never",
                "containers": containers,
                "volumes": [{"name": "platform", "configMap": {"name": "platform-files"}}],
            },
        }
        self.core.create_namespaced_pod(TEAM, body)

        def ended() -> bool:
            return self.core.read_namespaced_pod("client", TEAM).status.phase in ("Succeeded", "Failed")

        eventually("the Pod has ended", ended, 180)
        logs = {
            name: self.core.read_namespaced_pod_log("client", TEAM, container=name)
            for name in ("metric", "rows")
        }
        assert self.core.read_namespaced_pod("client", TEAM).status.phase == "Succeeded", logs
        return logs


@contextmanager
def registry_reached(plain: Twin, space: str, port: int) -> Iterator[None]:
    """Let the registry's Service lead to a port of localhost, where its server listens."""
    serve = egress.to_loopback(port)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            serve(self.request)

    place = addresses.loopback(_SERVER)
    assert place is not None
    with socketserver.ThreadingTCPServer((place, 0), Handler) as server:
        [service_port] = plain.core().read_namespaced_service("mlflow", space).spec.ports
        ports = [{"name": service_port.name, "port": server.server_address[1]}]
        labels = {"kubernetes.io/service-name": "mlflow"}
        body = {
            "metadata": {"name": "server", "labels": labels},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [_SERVER], "conditions": {"ready": True}}],
            "ports": ports,
        }
        discovery: Any = kubernetes.client.DiscoveryV1Api(plain.kubernetes())
        discovery.create_namespaced_endpoint_slice(space, body)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            discovery.delete_namespaced_endpoint_slice("server", space)
            server.shutdown()
