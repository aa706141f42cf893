"""The workloads on the cluster, the same on both clouds: the server, and the Jobs that set it up."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import pulumi
from pulumi import Input, Output
from pulumi_kubernetes.apps import v1 as apps
from pulumi_kubernetes.batch import v1 as batch
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking

from aiplatform._shared.kubernetes.workloads import (
    MONITORING,
    Application,
    container_security,
    disruption_budget,
    egress_rules,
    egress_to,
    ingress_from,
    network_policy,
    pod_security,
    resources,
    spread,
)
from aiplatform._shared.outputs import mapped, mapped_list
from aiplatform.model_registry import container_files
from aiplatform.model_registry.args import (
    METRICS_PORT,
    PORT,
    SERVER,
    SETUP,
    ModelRegistrySettings,
    promoters,
    reads,
)
from aiplatform.model_registry.platform import Identity, Platform

_PORTS: Final = {"http": 80, "https": 443}
_FILES: Final = "files"
_TLS: Final = "tls"
_CERTIFICATE: Final = "/opt/tls"
_UVICORN: Final = f"--ssl-certfile {_CERTIFICATE}/tls.crt --ssl-keyfile {_CERTIFICATE}/tls.key"
_SCRATCH: Final = "scratch"
_METRICS: Final = "metrics"
_COUNTED: Final = "/opt/metrics"
"""The folder in which the server's processes count requests."""
# Any user but root: the image requires none.
_USER: Final = 10001


@dataclass(frozen=True)
class Workloads:
    """Creates the Kubernetes objects. depends_on: namespace, permissions and secrets."""

    application: Application
    settings: ModelRegistrySettings
    platform: Platform
    depends_on: Sequence[pulumi.Resource]

    @cached_property
    def files(self) -> Output[Mapping[str, str]]:
        """The files that containers mount."""
        return Output.from_input(self.platform.database.certificates).apply(container_files.config_map)

    def build(self) -> apps.Deployment:
        """Create all objects, in the order in which they run: databases and secrets, migration, server."""
        files = core.ConfigMap(
            f"{self.application.name}-files",
            metadata=self.application.metadata(SERVER),
            data=self.files,
            opts=self.application.options(*self.depends_on),
        )
        setup = [
            files,
            self._service_account(SETUP, self.platform.setup),
            self._network_policy(SETUP),
        ]
        prepare = self._prepare_job(setup)
        migrate = self._migrate_job([*setup, prepare])
        return self._server([files, migrate])

    def _service_account(self, part: str, identity: Identity) -> core.ServiceAccount:
        return core.ServiceAccount(
            f"{self.application.name}-{part}-account",
            metadata=self.application.metadata(part, identity.annotations),
            automount_service_account_token=False,
            opts=self.application.options(*self.depends_on),
        )

    def _network_policy(
        self, part: str, *ingress: networking.NetworkPolicyIngressRuleArgs
    ) -> pulumi.Resource:
        database = networking.NetworkPolicyPeerArgs(
            ip_block=networking.IPBlockArgs(cidr=self.platform.database.addresses)
        )
        return network_policy(
            self.application,
            part,
            egress_rules(self.settings.cloud, egress_to(self.platform.database.port, [database])),
            ingress,
            self.depends_on,
        )

    def _prepare_job(self, depends_on: Sequence[pulumi.Resource]) -> batch.Job:
        """Create once what the server's database user may not: databases, that user, secrets."""
        database = self.platform.database
        variables: dict[str, Input[str]] = {
            **self._setup_variables(),
            **self.platform.setup_variables,
            "REGISTRY_DATABASE_HOST": database.host,
            "REGISTRY_DATABASE_PORT": str(database.port),
            "REGISTRY_DATABASE_USER": database.user,
            "REGISTRY_DATABASE_SSL_MODE": database.ssl_mode,
            "REGISTRY_DATABASE_CA": f"{container_files.FOLDER}/{container_files.CERTIFICATES}",
            "REGISTRY_DATABASES": ",".join(database.names),
        }
        steps = [
            self._step("secrets", ["-m", "registry_setup", "secrets"], variables),
            self._step("database", ["-m", "registry_setup", "database"], variables),
        ]
        return self._job("prepare", f"{SERVER}-prepare", steps, depends_on)

    def _migrate_job(self, depends_on: Sequence[pulumi.Resource]) -> batch.Job:
        """Migrate the schemas to this version of MLflow, and create accounts. A new version is a new Job,
        which ends before the Deployment is updated."""
        variables = self._setup_variables()
        uri, accounts = self._uris()
        steps = [
            self._step("schema", ["-m", "mlflow", "db", "upgrade", uri], variables),
            self._step(
                "accounts-schema", ["-m", "mlflow.server.auth", "db", "upgrade", "--url", accounts], variables
            ),
            self._step("accounts", ["-m", "registry_setup", "accounts"], variables),
        ]
        version = self.settings.version.replace(".", "-")
        return self._job("migrate", f"{SERVER}-migrate-{version}", steps, depends_on)

    def _uris(self) -> Sequence[Output[str]]:
        return [self.platform.database.uri(name) for name in self.platform.database.names]

    def _variables(self) -> dict[str, Input[str]]:
        return {
            **self.platform.variables,
            "REGISTRY_CLOUD": self.settings.cloud,
            "REGISTRY_SERVER_SECRET": self.platform.server_secret,
            "REGISTRY_ACCOUNTS_URI": self._uris()[1],
            "PYTHONPATH": container_files.FOLDER,
            # The root file system is read-only, and the user has no application in it.
            "HOME": "/tmp",  # noqa: S108 - a volume of the Pod
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
        }

    def _setup_variables(self) -> dict[str, Input[str]]:
        return {
            **self._variables(),
            "REGISTRY_ACCOUNT_SECRETS": Output.json_dumps(dict(self.platform.secrets)),
        }

    def _server(self, depends_on: Sequence[pulumi.Resource]) -> apps.Deployment:
        account = self._service_account(SERVER, self.platform.server)
        policy = self._network_policy(SERVER, *self._ingress())
        core.Service(
            f"{self.application.name}-service",
            metadata=self.application.metadata(SERVER),
            spec=core.ServiceSpecArgs(
                type="ClusterIP",
                selector=self.application.labels_of(SERVER),
                ports=[
                    core.ServicePortArgs(
                        name=self.settings.scheme,
                        port=_PORTS[self.settings.scheme],
                        target_port=PORT,
                        protocol="TCP",
                    )
                ],
            ),
            opts=self.application.options(*self.depends_on),
        )
        disruption_budget(self.application, SERVER, self.depends_on)
        return apps.Deployment(
            f"{self.application.name}-deployment",
            # Pods whose certificate others create, possibly later, are not awaited.
            metadata=self.application.metadata(
                SERVER, {"pulumi.com/skipAwait": "true"} if self.settings.tls_secret else None
            ),
            spec=apps.DeploymentSpecArgs(
                replicas=self.settings.chosen_replicas,
                selector=self.application.selector(SERVER),
                strategy=apps.DeploymentStrategyArgs(
                    type="RollingUpdate",
                    rolling_update=apps.RollingUpdateDeploymentArgs(max_unavailable=0, max_surge=1),
                ),
                template=self._pod(
                    SERVER,
                    self.platform.server,
                    restart="Always",
                    containers=[self._server_container(), *self._metrics_container()],
                    topology_spread_constraints=spread(self.application, SERVER),
                    # So that uploads of models in progress end.
                    termination_grace_period_seconds=120,
                ),
            ),
            opts=self.application.options(account, policy, *depends_on, *self.depends_on),
        )

    def _ingress(self) -> Iterator[networking.NetworkPolicyIngressRuleArgs]:
        if self.settings.client_namespaces:
            yield ingress_from(PORT, self.settings.client_namespaces)
        if self.settings.metrics:
            yield ingress_from(METRICS_PORT, [MONITORING])

    def _metrics_container(self) -> Iterator[core.ContainerArgs]:
        """Yield the container that serves metrics. It has neither the server's secrets nor its scratch
        volume."""
        if self.settings.metrics:
            answers = core.HTTPGetActionArgs(path="/metrics", port=METRICS_PORT)
            yield core.ContainerArgs(
                name=_METRICS,
                image=self.settings.chosen_image,
                command=["python"],
                args=["-m", "registry_metrics", _COUNTED, str(METRICS_PORT)],
                env=[
                    core.EnvVarArgs(name="PYTHONDONTWRITEBYTECODE", value="1"),
                    core.EnvVarArgs(name="PYTHONPATH", value=container_files.FOLDER),
                ],
                resources=resources("10m", "128Mi"),
                security_context=container_security(),
                ports=[core.ContainerPortArgs(name=_METRICS, container_port=METRICS_PORT)],
                liveness_probe=core.ProbeArgs(http_get=answers, period_seconds=20, failure_threshold=3),
                readiness_probe=core.ProbeArgs(http_get=answers, period_seconds=5, failure_threshold=6),
                volume_mounts=[
                    core.VolumeMountArgs(name=_FILES, mount_path=container_files.FOLDER, read_only=True),
                    core.VolumeMountArgs(name=_METRICS, mount_path=_COUNTED),
                ],
            )

    def _server_container(self) -> core.ContainerArgs:
        def probe(**timing: Any) -> core.ProbeArgs:
            scheme = self.settings.scheme.upper()
            check = core.HTTPGetActionArgs(path="/health", port=PORT, scheme=scheme)
            return core.ProbeArgs(http_get=check, **timing)

        variables = {
            **self._variables(),
            "REGISTRY_GUARDED_ALIASES": ",".join(self.settings.guarded_aliases),
            "REGISTRY_PROMOTERS": ",".join(promoters(self.settings)),
            "REGISTRY_ACCOUNTS": ",".join(self.settings.account_names),
            "REGISTRY_READS": json.dumps(reads(self.settings), sort_keys=True),
            # The server's jobs have their queue in a file of one Pod.
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "5",
            "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": "5",
            "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE": "1800",
        }
        return self._container(
            SERVER,
            ["-m", "registry_start", *self._flags()],
            variables,
            resources("500m", mapped(self.settings.workers, lambda workers: f"{512 + 768 * workers}Mi")),
            mounts=list(self._server_mounts()),
            ports=[core.ContainerPortArgs(name=self.settings.scheme, container_port=PORT)],
            startup_probe=probe(period_seconds=5, failure_threshold=60),
            liveness_probe=probe(period_seconds=20, timeout_seconds=5, failure_threshold=3),
            readiness_probe=probe(period_seconds=5, timeout_seconds=3, failure_threshold=3),
        )

    def _server_mounts(self) -> Iterator[core.VolumeMountArgs]:
        if self.settings.tls_secret:
            yield core.VolumeMountArgs(name=_TLS, mount_path=_CERTIFICATE, read_only=True)
        if self.settings.metrics:
            yield core.VolumeMountArgs(name=_METRICS, mount_path=_COUNTED)

    def _flags(self) -> list[Input[str]]:
        """Return the arguments of `mlflow server`."""
        return [
            f"--app-name={container_files.APP}",
            "--host=0.0.0.0",
            f"--port={PORT}",
            mapped(self.settings.workers, lambda workers: f"--workers={workers}"),
            Output.concat("--backend-store-uri=", self._uris()[0]),
            # Files are transferred by the server: clients have no permission on the bucket.
            "--serve-artifacts",
            Output.concat("--artifacts-destination=", self.platform.artifacts),
            mapped_list(self._hosts(), lambda hosts: f"--allowed-hosts={','.join(hosts)}"),
            *([mapped_list(self.settings.hosts, _allowed_origins)] if self.settings.hosts else []),
            *([f"--uvicorn-opts={_UVICORN}"] if self.settings.tls_secret else []),
            *([f"--expose-prometheus={_COUNTED}"] if self.settings.metrics else []),
        ]

    def _hosts(self) -> list[Input[str]]:
        """Return the host names that requests may have (MLflow documentation, "Network Security"): the
        Service's, the arguments', and localhost for `kubectl port-forward`."""
        name, space = SERVER, self.application.namespace
        service = [f"{name}.{space}", f"{name}.{space}.svc", f"{name}.{space}.svc.cluster.local"]
        return [*service, *self.settings.hosts, "localhost:*", "127.0.0.1:*"]

    def _step(
        self, name: str, arguments: Sequence[Input[str]], variables: Mapping[str, Input[str]]
    ) -> core.ContainerArgs:
        return self._container(name, arguments, variables, resources("200m", "1Gi"))

    def _container(
        self,
        name: str,
        arguments: Sequence[Input[str]],
        variables: Mapping[str, Input[str]],
        requirements: core.ResourceRequirementsArgs,
        mounts: Sequence[core.VolumeMountArgs] = (),
        **more: Any,
    ) -> core.ContainerArgs:
        return core.ContainerArgs(
            name=name,
            image=self.settings.chosen_image,
            command=["python"],
            args=list(arguments),
            env=[core.EnvVarArgs(name=key, value=value) for key, value in sorted(variables.items())],
            resources=requirements,
            security_context=container_security(),
            volume_mounts=[
                core.VolumeMountArgs(name=_FILES, mount_path=container_files.FOLDER, read_only=True),
                core.VolumeMountArgs(name=_SCRATCH, mount_path="/tmp"),  # noqa: S108
                *mounts,
            ],
            **more,
        )

    def _job(
        self,
        purpose: str,
        name: str,
        steps: Sequence[core.ContainerArgs],
        depends_on: Sequence[pulumi.Resource],
    ) -> batch.Job:
        """Create a Job that runs steps in sequence; the program waits for its end."""
        *before, last = steps
        return batch.Job(
            f"{self.application.name}-{purpose}",
            metadata=meta.ObjectMetaArgs(
                name=name, namespace=self.application.namespace, labels=self.application.labels_of(SETUP)
            ),
            spec=batch.JobSpecArgs(
                # New permissions may take a minute until they are in force.
                backoff_limit=6,
                active_deadline_seconds=3600,
                template=self._pod(
                    SETUP,
                    self.platform.setup,
                    restart="Never",
                    init_containers=list(before),
                    containers=[last],
                ),
            ),
            opts=self.application.options(*depends_on, *self.depends_on),
        )

    def _pod(self, part: str, identity: Identity, *, restart: str, **spec: Any) -> core.PodTemplateSpecArgs:
        items = [core.KeyToPathArgs(key=key, path=path) for key, path in container_files.paths().items()]
        checksum = Output.from_input(self.files).apply(
            lambda files: hashlib.sha256(json.dumps(dict(files), sort_keys=True).encode()).hexdigest()
        )
        volumes = [
            core.VolumeArgs(name=_FILES, config_map=core.ConfigMapVolumeSourceArgs(name=SERVER, items=items)),
            core.VolumeArgs(name=_SCRATCH, empty_dir=core.EmptyDirVolumeSourceArgs(size_limit="10Gi")),
        ]
        if part == SERVER and self.settings.metrics:
            counted = core.EmptyDirVolumeSourceArgs(size_limit="256Mi")
            volumes.append(core.VolumeArgs(name=_METRICS, empty_dir=counted))
        if part == SERVER and self.settings.tls_secret:
            certificate = core.SecretVolumeSourceArgs(
                secret_name=self.settings.tls_secret,
                default_mode=0o440,  # the Pod's own group reads it
            )
            volumes.append(core.VolumeArgs(name=_TLS, secret=certificate))
        return core.PodTemplateSpecArgs(
            metadata=meta.ObjectMetaArgs(
                labels=self.application.labels_of(part),
                # Pods are replaced when their files change, and wait for their identity.
                annotations={"ai-platform/files": checksum, "ai-platform/identity": identity.ready},
            ),
            spec=core.PodSpecArgs(
                service_account_name=part,
                automount_service_account_token=False,
                restart_policy=restart,
                security_context=pod_security(_USER),
                volumes=volumes,
                **spec,
            ),
        )


def _allowed_origins(hosts: Sequence[str]) -> str:
    origins = ",".join(f"https://{host}" for host in hosts)
    return f"--cors-allowed-origins={origins}"
