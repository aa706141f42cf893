"""Fluent Bit in the cluster: a Pod on each node, in kube-system, with what it needs to read files there."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import pulumi
import yaml
from pulumi import Input, ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.context import Context
from aiplatform._shared.kubernetes.daemon_set import (
    NAMESPACE,
    daemon_set,
    host_path,
    labels,
    metadata,
    mount,
    requests,
)
from aiplatform._shared.kubernetes.workloads import Application, egress_rules, network_policy
from aiplatform._shared.outputs import mapped
from aiplatform.observability.collectors import Definitions, Settings, image
from aiplatform.observability.logs.args import Logs
from aiplatform.observability.logs.configuration import (
    DIRECTORY,
    FILE,
    NAME,
    PORT,
    REQUESTS,
    SCRIPT,
    STATE,
    configuration,
)
from aiplatform.observability.logs.store import Store
from aiplatform.observability.redaction import script

_API: Final = "rbac.authorization.k8s.io"
_HOST_STATE: Final = "/var/lib/ai-platform/container-logs"
_GRACE_SECONDS: Final = 30


def create(
    context: Context[Settings], logs: Logs, store: Store, definitions: Definitions | None
) -> list[pulumi.Resource]:
    """Create the DaemonSet and what it depends on. definitions: what brings the kinds by which Prometheus
    finds its Pods."""
    parent, name = context.parent, f"{context.name}-{NAME}"
    application = Application(parent, context.name, NAMESPACE)
    options = context.options()
    account = core.ServiceAccount(f"{name}-service-account", metadata=metadata(NAME), opts=options)
    role = rbac.ClusterRole(
        f"{name}-cluster-role",
        metadata=metadata(NAME, namespaced=False),
        rules=[rbac.PolicyRuleArgs(api_groups=[""], resources=["namespaces", "pods"], verbs=["get"])],
        opts=options,
    )
    binding = rbac.ClusterRoleBinding(
        f"{name}-cluster-role-binding",
        metadata=metadata(NAME, namespaced=False),
        role_ref=rbac.RoleRefArgs(api_group=_API, kind="ClusterRole", name=NAME),
        subjects=[rbac.SubjectArgs(kind="ServiceAccount", name=NAME, namespace=NAMESPACE)],
        opts=context.options(role),
    )
    ports = [networking.NetworkPolicyPortArgs(port=PORT, protocol="TCP")]
    traffic = network_policy(
        application,
        NAME,
        egress_rules(context.settings.cluster.cloud),
        [networking.NetworkPolicyIngressRuleArgs(ports=ports)],
        (),
    )
    texts = _texts(context, logs, store)
    config = core.ConfigMap(f"{name}-configuration", metadata=metadata(NAME), data=texts, opts=options)
    pods = daemon_set(
        parent,
        f"{name}-daemon-set",
        NAME,
        {"kubernetes.io/os": "linux"},
        [_container(context)],
        [
            host_path("logs", "/var/log", "Directory"),
            host_path("state", _HOST_STATE, "DirectoryOrCreate"),
            core.VolumeArgs(name="configuration", config_map=core.ConfigMapVolumeSourceArgs(name=NAME)),
        ],
        [account, binding, traffic, config, *store.resources],
        # A changed configuration changes the Pods, which read it when they start.
        annotations={"ai-platform/configuration": mapped(texts, _digest)},
        service_account_name=NAME,
        termination_grace_period_seconds=_GRACE_SECONDS,
    )
    return [pods, *([_monitor(context, name, definitions)] if definitions is not None else [])]


def _texts(context: Context[Settings], logs: Logs, store: Store) -> Input[Mapping[str, Input[str]]]:
    """Return the files of the configuration."""

    def files(output: dict[str, Any]) -> dict[str, Input[str]]:
        content = configuration(
            context.settings.cluster.cloud,
            output,
            buffer_mib=logs.buffer_mib,
            excluded_namespaces=logs.excluded_namespaces,
        )
        return {
            FILE: yaml.safe_dump(content, sort_keys=False, width=200),
            SCRIPT: script(logs.secret_keys),
        }

    return mapped(store.output, files)


def _digest(texts: Mapping[str, Any]) -> str:
    return hashlib.sha256("\n".join(texts[name] for name in sorted(texts)).encode()).hexdigest()[:16]


def _container(context: Context[Settings]) -> core.ContainerArgs:
    def probe(path: str, **timing: Any) -> core.ProbeArgs:
        return core.ProbeArgs(http_get=core.HTTPGetActionArgs(path=path, port=PORT), **timing)

    return core.ContainerArgs(
        name=NAME,
        image=image(context.settings, "fluent-bit"),
        command=["/fluent-bit/bin/fluent-bit"],
        args=[f"--config={DIRECTORY}/{FILE}"],
        ports=[core.ContainerPortArgs(name="metrics", container_port=PORT)],
        volume_mounts=[
            mount("configuration", DIRECTORY, read_only=True),
            mount("logs", "/var/log", read_only=True),
            mount("state", STATE),
        ],
        resources=requests(*REQUESTS),
        liveness_probe=probe("/", period_seconds=30, failure_threshold=3),
        # Not ready while Cloud Logging refuses its records: an update stops at the first nodes. What is
        # retried, as all that CloudWatch Logs refuses, does not count (src/http_server/api/v1/health.c).
        readiness_probe=probe("/api/v1/health", period_seconds=10),
        # The files of containers are root's, who needs no capability to read them.
        security_context=core.SecurityContextArgs(
            run_as_user=0,
            run_as_non_root=False,
            allow_privilege_escalation=False,
            read_only_root_filesystem=True,
            capabilities=core.CapabilitiesArgs(drop=["ALL"]),
            seccomp_profile=core.SeccompProfileArgs(type="RuntimeDefault"),
        ),
    )


def _monitor(context: Context[Settings], name: str, definitions: Definitions) -> CustomResource:
    return CustomResource(
        f"{name}-monitor",
        api_version="monitoring.coreos.com/v1",
        kind="PodMonitor",
        metadata=metadata(NAME),
        spec={
            "jobLabel": "app.kubernetes.io/name",
            "selector": {"matchLabels": labels(NAME)},
            "podMetricsEndpoints": [
                {"port": "metrics", "path": "/api/v2/metrics/prometheus", "interval": "60s"}
            ],
        },
        opts=ResourceOptions(parent=context.parent, depends_on=definitions),
    )
