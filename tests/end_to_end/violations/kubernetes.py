"""A program in plain pulumi_kubernetes: a compliant namespace and workload, and violations."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_kubernetes as k8s

from tests.end_to_end.violations import Violations, kubernetes_custom
from tests.end_to_end.violations.charts import VERSION, Charts

IMAGE: Final = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1.4.2@sha256:{'0f' * 32}"
OWN: Final = "shop"


def pod(context: dict[str, Any] | None = None, container: dict[str, Any] | None = None, **more: Any) -> Any:
    """The spec of a pod that is right but for the arguments. context: of the container's securityContext."""
    return {
        "service_account_name": "app",
        "automount_service_account_token": False,
        "security_context": {
            "run_as_non_root": True,
            "run_as_user": 1000,
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "app",
                "image": IMAGE,
                "resources": {
                    "requests": {"cpu": "100m", "memory": "128Mi"},
                    "limits": {"memory": "128Mi"},
                },
                "security_context": {
                    "allow_privilege_escalation": False,
                    "read_only_root_filesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                    **(context or {}),
                },
                **(container or {}),
            }
        ],
        **more,
    }


def program(violates: Violations, rendered: Path, charts: Charts, later: pulumi.Output[str]) -> None:
    """Declare everything. rendered: a folder; the provider needs no cluster where it renders files. later:
    what a preview does not know."""
    provider = k8s.Provider("cluster", render_yaml_to_directory=str(rendered))
    options = pulumi.ResourceOptions(provider=provider)
    _compliant(options)
    _pods(violates, options)
    _others(violates, options)
    _rights(violates, options)
    _services(violates, options)
    _gateways(violates, options)
    _charts(violates, options, charts, later)
    kubernetes_custom.program(violates, options, charts)


def _namespace(name: str, options: pulumi.ResourceOptions, level: str | None, closed: bool) -> None:
    labels = {"pod-security.kubernetes.io/enforce": level} if level else {"team": "shop"}
    k8s.core.v1.Namespace(name, metadata={"name": name, "labels": labels}, opts=options)
    if closed:
        k8s.networking.v1.NetworkPolicy(
            f"{name}-closed",
            metadata={"name": "closed", "namespace": name},
            spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
            opts=options,
        )


def _compliant(options: pulumi.ResourceOptions) -> None:
    """Declare the resources that no policy may report."""
    once: Any = {"template": {"spec": {**pod(), "restart_policy": "Never"}}}
    _namespace(OWN, options, "restricted", closed=True)
    k8s.core.v1.ServiceAccount(
        "right-account",
        metadata={"name": "app", "namespace": OWN},
        automount_service_account_token=False,
        opts=options,
    )
    k8s.batch.v1.Job(
        "right-job",
        metadata={"name": "right", "namespace": OWN},
        spec=once,
        opts=options,
    )
    k8s.core.v1.ConfigMap(
        "right-settings",
        metadata={"name": "settings", "namespace": OWN},
        data={"LEVEL": "info"},
        opts=options,
    )


def _pods(violates: Violations, options: pulumi.ResourceOptions) -> None:
    wrong: dict[str, Any] = {
        violates("root-of-the-node", "kubernetes.forbid_privileged_containers"): pod({"privileged": True}),
        violates("administrator", "kubernetes.forbid_privileged_containers"): pod(
            {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}
        ),
        violates("in-the-node-network", "kubernetes.forbid_host_access"): pod(host_network=True),
        violates("in-the-node-files", "kubernetes.forbid_host_access"): pod(
            volumes=[{"name": "node", "host_path": {"path": "/var/lib/kubelet"}}]
        ),
        violates("keeps-capabilities", "kubernetes.drop_capabilities"): pod({"capabilities": {}}),
        violates("default-account", "kubernetes.forbid_default_account"): pod(
            service_account_name="default", automount_service_account_token=True
        ),
        violates("root", "kubernetes.run_as_non_root"): pod({"run_as_non_root": False, "run_as_user": 0}),
        violates("no-resources", "kubernetes.set_resources"): pod(container={"resources": {}}),
        violates("latest-image", "supply_chain.pin_images", "reliability.use_controllers"): pod(
            container={"image": IMAGE.partition(":")[0] + ":latest"}
        ),
        violates("unknown-registry", "supply_chain.allow_registries"): pod(
            container={"image": f"registry.example/app:1.4.2@sha256:{'0f' * 32}"}
        ),
        violates("no-seccomp", "kubernetes.set_seccomp_profile"): pod(
            {"seccomp_profile": {"type": "Unconfined"}}
        ),
        violates("changes-itself", "kubernetes.keep_root_read_only"): pod(
            {"read_only_root_filesystem": False}
        ),
        violates("plain-password", "kubernetes.forbid_plain_secrets"): pod(
            container={"env": [{"name": "DB_PASSWORD", "value": "correct horse battery staple"}]}
        ),
    }
    for name, spec in wrong.items():
        k8s.core.v1.Pod(name, metadata={"name": name, "namespace": OWN}, spec=spec, opts=options)
    secret = {"value_from": {"secret_key_ref": {"name": "database", "key": "password"}}}
    k8s.batch.v1.Job(
        "right-variables",
        metadata={"name": "right-variables", "namespace": OWN},
        spec={
            "template": {
                "spec": pod(container={"env": [{"name": "DB_PASSWORD", **secret}]}, restart_policy="Never")
            }
        },
        opts=options,
    )
    k8s.core.v1.Pod(
        violates("somewhere", "kubernetes.forbid_default_namespace"),
        metadata={"name": "somewhere"},
        spec=pod(),
        opts=options,
    )


def _others(violates: Violations, options: pulumi.ResourceOptions) -> None:
    _namespace(violates("takes-every-pod", "kubernetes.label_namespaces"), options, None, closed=True)
    _namespace(violates("open-to-all", "kubernetes.deny_by_default"), options, "restricted", closed=False)
    k8s.core.v1.Secret(
        violates("token-for-ever", "identity.forbid_long_lived_keys"),
        metadata={
            "name": "token",
            "namespace": OWN,
            "annotations": {"kubernetes.io/service-account.name": "app"},
        },
        type="kubernetes.io/service-account-token",
        opts=options,
    )
    k8s.apps.v1.Deployment(
        violates(
            "all-at-once",
            "reliability.budget_disruptions",
            "reliability.probe_containers",
            "reliability.spread_replicas",
        ),
        metadata={"name": "shop", "namespace": OWN},
        spec={
            "replicas": 3,
            "selector": {"match_labels": {"app": "shop"}},
            "template": {
                "metadata": {"labels": {"app": "shop"}},
                "spec": pod(container={"ports": [{"container_port": 8080}]}),
            },
        },
        opts=options,
    )


def _rights(violates: Violations, options: pulumi.ResourceOptions) -> None:
    wrong: dict[str, Any] = {
        violates("every-verb", "kubernetes.forbid_rbac_wildcards"): {
            "api_groups": ["apps"],
            "resources": ["deployments"],
            "verbs": ["*"],
        },
        violates("every-secret", "kubernetes.forbid_escalation"): {
            "api_groups": [""],
            "resources": ["secrets"],
            "verbs": ["list"],
        },
    }
    for name, rule in wrong.items():
        k8s.rbac.v1.ClusterRole(name, metadata={"name": name}, rules=[rule], opts=options)
    k8s.rbac.v1.ClusterRoleBinding(
        violates("administrator-of-the-cluster", "kubernetes.forbid_cluster_admin"),
        metadata={"name": "administrator"},
        role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        subjects=[{"kind": "ServiceAccount", "name": "app", "namespace": OWN}],
        opts=options,
    )
    k8s.rbac.v1.RoleBinding(
        violates("rights-of-the-default", "identity.forbid_default_identities"),
        metadata={"name": "default", "namespace": OWN},
        role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        subjects=[{"kind": "ServiceAccount", "name": "default", "namespace": OWN}],
        opts=options,
    )


def _services(violates: Violations, options: pulumi.ResourceOptions) -> None:
    def service(name: str, **annotations: str) -> None:
        k8s.core.v1.Service(
            name,
            metadata={"name": name, "namespace": OWN, "annotations": annotations},
            spec={"type": "LoadBalancer", "selector": {"app": "shop"}, "ports": [{"port": 443}]},
            opts=options,
        )

    service("right-service", **{"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"})
    service("right-google-service", **{"networking.gke.io/load-balancer-type": "Internal"})
    service(violates("balancer-for-all", "kubernetes.forbid_public_services"))
    k8s.networking.v1.Ingress(
        violates("way-in-for-all", "kubernetes.forbid_public_services"),
        metadata={
            "name": "shop",
            "namespace": OWN,
            "annotations": {"alb.ingress.kubernetes.io/scheme": "internet-facing"},
        },
        spec={"ingress_class_name": "alb", "default_backend": {"service": {"name": "shop"}}},
        opts=options,
    )
    k8s.core.v1.ConfigMap(
        violates("address-with-password", "kubernetes.forbid_plain_secrets"),
        metadata={"name": "address", "namespace": OWN},
        data={"url": "postgresql://shop:hunter2@database.example/shop"},
        opts=options,
    )
    k8s.storage.v1.StorageClass(
        "right-class",
        metadata={"name": "fast"},
        provisioner="ebs.csi.aws.com",
        parameters={"type": "gp3", "encrypted": "true", "kmsKeyId": kubernetes_custom.KEY},
        opts=options,
    )
    k8s.storage.v1.StorageClass(
        violates("class-of-aws-key", "encryption.encrypt_volumes"),
        metadata={"name": "plain"},
        provisioner="ebs.csi.aws.com",
        parameters={"type": "gp3", "encrypted": "true"},
        opts=options,
    )
    k8s.storage.v1.StorageClass(
        violates("older-class", "cost.avoid_old_volumes"),
        metadata={"name": "standard"},
        provisioner="ebs.csi.aws.com",
        parameters={"type": "gp2"},
        opts=options,
    )


def _gateways(violates: Violations, options: pulumi.ResourceOptions) -> None:
    def gateway(name: str, object_name: str, protocol: str = "HTTPS") -> None:
        listener = {"name": "one", "port": 443, "protocol": protocol}
        if protocol == "HTTPS":
            listener["tls"] = {"certificateRefs": [{"name": "certificate"}]}
        k8s.apiextensions.CustomResource(
            name,
            api_version="gateway.networking.k8s.io/v1",
            kind="Gateway",
            metadata={"name": object_name, "namespace": OWN},
            spec={
                "gatewayClassName": "envoy",
                "infrastructure": {
                    "parametersRef": {
                        "group": "gateway.envoyproxy.io",
                        "kind": "EnvoyProxy",
                        "name": object_name,
                    }
                },
                "listeners": [listener],
            },
            opts=options,
        )

    def proxy(name: str, object_name: str, service: dict[str, Any]) -> None:
        k8s.apiextensions.CustomResource(
            name,
            api_version="gateway.envoyproxy.io/v1alpha1",
            kind="EnvoyProxy",
            metadata={"name": object_name, "namespace": OWN},
            spec={"provider": {"type": "Kubernetes", "kubernetes": {"envoyService": service}}},
            opts=options,
        )

    gateway("right-gateway", "right")
    proxy("right-proxy", "right", {"type": "ClusterIP"})
    gateway(violates("gateway-in-the-clear", "encryption.encrypt_gateways"), "clear", "HTTP")
    gateway(violates("gateway-for-strangers", "network.authenticate_gateways"), "open")
    proxy(violates("proxy-for-all", "kubernetes.forbid_public_services"), "open", {"type": "LoadBalancer"})


def _charts(
    violates: Violations, options: pulumi.ResourceOptions, charts: Charts, later: pulumi.Output[str]
) -> None:
    k8s.helm.v3.Release("right-release", chart=str(charts.folder), namespace=OWN, opts=options)
    k8s.helm.v3.Release(
        violates("release-in-the-clear", "supply_chain.pin_charts"),
        chart="shop",
        version=VERSION,
        repository_opts={"repo": charts.address},
        namespace=OWN,
        opts=options,
    )
    # The provider puts the version that it finds in place of this one where all values are known.
    k8s.helm.v3.Release(
        violates("newest-release", "supply_chain.pin_charts"),
        chart="oci://registry.example/charts/shop",
        version=">=1.4",
        values={"machine": later},
        namespace=OWN,
        opts=options,
    )
