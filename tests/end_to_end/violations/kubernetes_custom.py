"""More of the plain pulumi_kubernetes program: custom resources with Pods, Karpenter, values of releases."""

from __future__ import annotations

from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from tests.end_to_end.violations import Violations
from tests.end_to_end.violations.charts import Charts

KEY: Final = "arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0123-0123-0123-0123456789ab"
IMAGE: Final = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/train:1.4.2@sha256:{'0f' * 32}"
_NAMESPACE: Final = "shop"


def _pod(context: dict[str, Any] | None = None, **pod: Any) -> dict[str, Any]:
    """The spec of a Pod in a custom resource. context: of the container's securityContext."""
    return {
        "serviceAccountName": "app",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "worker",
                "image": IMAGE,
                "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                    **(context or {}),
                },
            }
        ],
        **pod,
    }


def program(violates: Violations, options: pulumi.ResourceOptions, charts: Charts) -> None:
    """Declare everything. options: with the provider."""

    def custom(name: str, kind: str, spec: Any, namespace: str | None = _NAMESPACE) -> None:
        api, _, kind = kind.partition(":")
        k8s.apiextensions.CustomResource(
            name,
            api_version=api,
            kind=kind,
            metadata={"name": name, **({"namespace": namespace} if namespace else {})},
            spec=spec,
            opts=options,
        )

    def ray(name: str, spec: Any) -> None:
        group = {"groupName": "gpu", "template": {"spec": spec}}
        head = {"template": {"spec": _pod()}}
        custom(name, "ray.io/v1:RayCluster", {"headGroupSpec": head, "workerGroupSpecs": [group]})

    ray("right-ray", _pod())
    ray(
        violates("privileged-ray", "kubernetes.forbid_privileged_containers"),
        _pod({"privileged": True}),
    )
    ray(
        violates("ray-in-the-node", "kubernetes.forbid_host_access"),
        _pod(volumes=[{"name": "node", "hostPath": {"path": "/var/lib/kubelet"}}]),
    )
    ray(violates("ray-without-proc", "kubernetes.confine_containers"), _pod({"procMount": "Unmasked"}))
    template = {"name": "main", "container": {**_pod()["containers"][0]}}
    of_all = {key: value for key, value in _pod().items() if key != "containers"}
    custom(
        "right-workflow",
        "argoproj.io/v1alpha1:Workflow",
        {"entrypoint": "main", "templates": [template], **of_all},
    )
    custom(
        violates("workflow-in-the-node-network", "kubernetes.forbid_host_access"),
        "argoproj.io/v1alpha1:WorkflowTemplate",
        {"entrypoint": "main", "templates": [template], **of_all, "hostNetwork": True},
    )
    _karpenter(violates, custom)
    _releases(violates, options, charts)
    k8s.core.v1.PersistentVolume(
        violates("volume-of-the-node", "kubernetes.forbid_host_access"),
        metadata={"name": "data"},
        spec={
            "capacity": {"storage": "1Gi"},
            "access_modes": ["ReadWriteOnce"],
            "host_path": {"path": "/var/lib/data"},
        },
        opts=options,
    )


def _karpenter(violates: Violations, custom: Any) -> None:
    disk = {"volumeSize": "100Gi", "volumeType": "gp3", "encrypted": True, "kmsKeyID": KEY}

    def nodes(name: str, ebs: Any = disk, alias: str = "al2023@v20261110", **spec: Any) -> None:
        selector = [{"tags": {"karpenter.sh/discovery": "main"}}]
        base = {
            "role": "nodes",
            "subnetSelectorTerms": selector,
            "securityGroupSelectorTerms": selector,
            "amiSelectorTerms": [{"alias": alias}],
            "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": ebs}],
        }
        custom(name, "karpenter.k8s.aws/v1:EC2NodeClass", {**base, **spec}, None)

    nodes("right-nodes")
    nodes(violates("nodes-of-aws-key", "encryption.encrypt_volumes"), {"encrypted": True})
    nodes(violates("nodes-with-addresses", "network.keep_nodes_private"), associatePublicIPAddress=True)
    nodes(
        violates("nodes-without-tokens", "network.protect_metadata"),
        metadataOptions={"httpTokens": "optional"},
    )
    script = "#!/bin/bash\nexport DB_PASSWORD='correct horse'\n"
    nodes(violates("nodes-with-a-secret", "identity.forbid_plain_secrets"), userData=script)
    nodes(violates("newest-nodes", "supply_chain.pin_versions"), alias="al2023@latest")

    def pool(name: str, **spec: Any) -> None:
        reference = {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "right-nodes"}
        template = {"spec": {"nodeClassRef": reference, "requirements": []}}
        custom(name, "karpenter.sh/v1:NodePool", {"template": template, **spec}, None)

    pool("right-node-pool", limits={"cpu": "64"})
    pool(violates("pool-without-limit", "cost.limit_node_pools"))


def _releases(violates: Violations, options: pulumi.ResourceOptions, charts: Charts) -> None:
    def release(name: str, **values: Any) -> None:
        k8s.helm.v3.Release(name, chart=str(charts.folder), namespace=_NAMESPACE, values=values, opts=options)

    release("right-values", podSecurityContext={"runAsNonRoot": True}, hostNetwork=False)
    release(
        violates("privileged-values", "kubernetes.forbid_privileged_containers"),
        controller={"containerSecurityContext": {"privileged": True}},
    )
    release(violates("values-in-the-node-network", "kubernetes.forbid_host_access"), hostNetwork=True)
