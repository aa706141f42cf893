"""Two teams as the platform creates them, in a cluster with guardrails and queues, and their members."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any, Final

import kubernetes
import pulumi
import pulumi_aws as aws
from pulumi import ResourceOptions

from aiplatform.guardrails import Guardrails
from aiplatform.queues import Queues
from aiplatform.teams import Teams
from tests.controllers.cluster import GPU, LAYER, Cluster, Objects
from tests.end_to_end import pods
from tests.end_to_end.guardrail_objects import spec
from twin import environment

POOL: Final[dict[str, Any]] = {
    "name": "training",
    "resource": GPU,
    "resources_per_node": 8,
    "capacity_types": ["on_demand"],
    "node_selector": {"eks.amazonaws.com/nodegroup": "gpu"},
    "taints": [{"key": GPU, "effect": "NoSchedule"}],
    "topology_labels": [f"{LAYER}{layer}" for layer in (1, 2, 3)],
    "min_nodes": 4,
    "max_nodes": 4,
    "vcpus_per_node": 192,
    "memory_gib_per_node": 1536,
}
"""The nodes with GPUs of the cluster: 32 GPUs."""
CPU_POOL: Final[dict[str, Any]] = {
    "name": "general",
    "node_selector": {"ai-platform/pool": "general"},
    "taints": [],
    "min_nodes": 1,
    "max_nodes": 1,
    "vcpus_per_node": 16,
    "memory_gib_per_node": 128,
}
QUOTA: Final = 16
"""GPUs of each team."""
TEAMS: Final = ("vision", "language")
SYSTEM: Final = ("argo", "kserve")
"""Namespaces of controllers that create Pods and Deployments in the namespaces of teams."""
MEMBERS: Final = ("vision-owner", "vision-developer", "language-owner")


JOB: Final = ("batch/v1", "Job")
EIGHT: Final = {GPU: "8", "cpu": "8", "memory": "64Gi"}


def member_roles(*names: str) -> dict[str, aws.iam.Role]:
    """Register a role for each name, which the account may assume."""
    trusted = {"AWS": f"arn:aws:iam::{aws.get_caller_identity().account_id}:root"}
    statement = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return {name: aws.iam.Role(name, assume_role_policy=trust) for name in names}


def program(base_cluster: str, gpus: int = QUOTA, after: Any = None) -> None:
    """Register guardrails, queues and teams. gpus: the quota of each team. after: the objects of the add-ons,
    where they are in the same stack."""
    roles = member_roles(*MEMBERS)
    guardrails = Guardrails("guardrails", {"system_namespaces": list(SYSTEM)})
    quotas: Any = [{"pool": "training", "accelerators": gpus}, {"pool": "general", "cpu": 6}]
    entries: Any = [{"name": name, "quotas": quotas, "namespaces": [name]} for name in TEAMS]
    arguments: Any = {"gpu_pools": [POOL], "node_pools": [CPU_POOL], "queues": entries}
    queues = Queues(
        "queues",
        arguments,
        ResourceOptions(depends_on=after),
    )
    Teams(
        "teams",
        {
            "prefix": "acme-dev",
            "cluster": {"name": base_cluster, "security_group_id": "sg-1"},
            "secret_stores": False,
            "teams": {
                "vision": {
                    "owners": [roles["vision-owner"].arn],
                    "developers": [roles["vision-developer"].arn],
                    "queue": "vision",
                    "limits": {"cpu": "600", "memory": "6000Gi"},
                },
                "language": {
                    "owners": [roles["language-owner"].arn],
                    "queue": "language",
                    "priority_classes": ["serving"],
                },
            },
        },
        ResourceOptions(
            depends_on=pulumi.Output.from_input(after or []).apply(
                lambda resources: [*resources, guardrails, queues]
            )
        ),
    )
    pulumi.export("roles", {name: role.arn for name, role in roles.items()})


def member(cluster: Cluster, arn: str) -> Objects:
    """Return the objects of the cluster as a role sees them, with the token that EKS issues for it."""
    plain = cluster.plain
    session = pods.assumed(plain.aws("sts"), arn)
    env_vars = {**os.environ, **environment.environment(plain.instance), **session}
    command = ["aws", "eks", "get-token", "--cluster-name", cluster.base.cluster, "--output", "json"]
    answer = subprocess.run(command, env=env_vars, check=True, capture_output=True, text=True).stdout
    return _with_token(cluster, json.loads(answer)["status"]["token"])


def account(cluster: Cluster, namespace: str, name: str) -> Objects:
    """Return the objects of the cluster as a service account sees them."""
    spec = {"spec": {"expirationSeconds": 3600}}
    answer = cluster.core.create_namespaced_service_account_token(name, namespace, spec)
    return _with_token(cluster, answer.status.token)


def _with_token(cluster: Cluster, token: str) -> Objects:
    configuration = kubernetes.client.Configuration()
    known = cluster.api.configuration
    configuration.host, configuration.ssl_ca_cert = known.host, known.ssl_ca_cert
    configuration.api_key = {"authorization": f"Bearer {token}"}
    return Objects(kubernetes.client.ApiClient(configuration))


def system_account(namespace: str, name: str) -> list[dict[str, Any]]:
    """Return the namespace of a controller, its service account, and its rights in the teams' namespaces:
    those of its chart."""
    api = "rbac.authorization.k8s.io"
    rules = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create"]},
    ]
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}},
        {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": namespace},
            "rules": rules,
        },
        {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": namespace},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": namespace},
            "subjects": [subject],
        },
    ]


def workload(
    version: str, kind: str, name: str, *, namespace: str = "vision", replicas: int = 1, **more: Any
) -> dict[str, Any]:
    """Return a workload of Pods with 8 GPUs. more: `labels`, and fields of the Pod's specification."""
    metadata = {"name": name, "namespace": namespace, "labels": more.pop("labels", {})}
    resources = more.pop("resources", EIGHT)
    pod = spec(resources, **more)
    template: dict[str, Any] = {"spec": pod, "metadata": {"labels": {"app": name}}}
    body: dict[str, Any]
    if kind == "Pod":
        body = pod
    elif kind == "Job":
        template["metadata"]["annotations"] = {"twin.ai-platform/run-for": "3600s"}
        body = {"template": template, "parallelism": replicas, "completions": replicas, "backoffLimit": 0}
    elif kind == "RayCluster":
        group = {
            "groupName": "gpu",
            "replicas": replicas,
            "minReplicas": replicas,
            "maxReplicas": replicas,
            "rayStartParams": {},
            "template": {"spec": {**pod, "restartPolicy": "Always"}},
        }
        head = {"rayStartParams": {}, "template": {"spec": spec({"cpu": "1", "memory": "1Gi"})}}
        body = {"headGroupSpec": head, "workerGroupSpecs": [group]}
    elif kind == "TrainJob":
        body = {
            "runtimeRef": {"name": "torch-distributed"},
            "trainer": {"numNodes": replicas, "resourcesPerNode": {"limits": resources}},
        }
    else:
        template["spec"]["restartPolicy"] = "Always"
        body = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
        if kind == "StatefulSet":
            body |= {"serviceName": name, "podManagementPolicy": "Parallel"}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": body}
