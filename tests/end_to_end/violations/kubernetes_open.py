"""More of the plain pulumi_kubernetes program: what lets everything pass, and compliant objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from tests.end_to_end.violations import Violations
from tests.end_to_end.violations.kubernetes import OWN


def program(violates: Violations, rendered: Path) -> None:
    """Declare everything. rendered: a folder; the provider needs no cluster where it renders files."""
    provider = k8s.Provider("open-cluster", render_yaml_to_directory=str(rendered))
    options = pulumi.ResourceOptions(provider=provider)
    _networks(violates, options)
    _ways_in(violates, options)
    _admission(violates, options)
    _roles(violates, options)


def _networks(violates: Violations, options: pulumi.ResourceOptions) -> None:
    https = [{"protocol": "TCP", "port": 443}]
    everywhere = [{"ip_block": {"cidr": "0.0.0.0/0"}}]
    for name, rule in (
        ("right-egress", {"to": everywhere, "ports": https}),
        (violates("egress-to-everywhere", "kubernetes.deny_by_default"), {"to": everywhere}),
    ):
        spec: Any = {
            "pod_selector": {"match_labels": {"app": "shop"}},
            "policy_types": ["Egress"],
            "egress": [rule],
        }
        k8s.networking.v1.NetworkPolicy(
            name, metadata={"name": name, "namespace": OWN}, spec=spec, opts=options
        )


def _ways_in(violates: Violations, options: pulumi.ResourceOptions) -> None:
    def service(name: str, **spec: Any) -> None:
        whole: Any = {"selector": {"app": "shop"}, "ports": [{"port": 443}], **spec}
        k8s.core.v1.Service(name, metadata={"name": name, "namespace": OWN}, spec=whole, opts=options)

    service("right-inner-service", type="ClusterIP")
    service(violates("port-of-the-nodes", "kubernetes.forbid_public_services"), type="NodePort")
    service(violates("address-of-others", "kubernetes.forbid_public_services"), external_ips=["10.0.0.7"])
    for name, more in (
        ("right-ingress", {"tls": [{"hosts": ["shop.acme.example"], "secret_name": "shop"}]}),
        (violates("ingress-in-the-clear", "encryption.encrypt_gateways"), {}),
    ):
        spec: Any = {
            "ingress_class_name": "nginx",
            "default_backend": {"service": {"name": "shop", "port": {"number": 80}}},
            **more,
        }
        k8s.networking.v1.Ingress(name, metadata={"name": name, "namespace": OWN}, spec=spec, opts=options)


def _admission(violates: Violations, options: pulumi.ResourceOptions) -> None:
    rule: Any = {
        "api_groups": [""],
        "api_versions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["pods"],
    }
    for name, failures in (
        ("right-check", "Fail"),
        (violates("check-that-lets-pass", "kubernetes.fail_webhooks_closed"), "Ignore"),
    ):
        k8s.admissionregistration.v1.ValidatingWebhookConfiguration(
            name,
            metadata={"name": name},
            webhooks=[
                {
                    "name": "pods.acme.example",
                    "admission_review_versions": ["v1"],
                    "client_config": {"service": {"name": "check", "namespace": OWN}},
                    "failure_policy": failures,
                    "rules": [rule],
                    "side_effects": "None",
                }
            ],
            opts=options,
        )


def _roles(violates: Violations, options: pulumi.ResourceOptions) -> None:
    labels: Any = {"match_labels": {"team": "shop"}}
    k8s.rbac.v1.ClusterRole(
        "right-aggregation",
        metadata={"name": "aggregation"},
        aggregation_rule={"cluster_role_selectors": [labels]},
        opts=options,
    )
    k8s.rbac.v1.ClusterRole(
        violates("role-of-all-roles", "kubernetes.forbid_cluster_admin"),
        metadata={"name": "all"},
        aggregation_rule={"cluster_role_selectors": [{}]},
        opts=options,
    )
    exec_rule: Any = {"api_groups": [""], "resources": ["pods/exec"], "verbs": ["create"]}
    k8s.rbac.v1.ClusterRole(
        violates("commands-in-all-pods", "kubernetes.forbid_escalation"),
        metadata={"name": "commands"},
        rules=[exec_rule],
        opts=options,
    )
