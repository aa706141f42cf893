"""What a team has in its namespace for rollouts: the WorkflowTemplate, its ServiceAccount and its traffic."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Final
from urllib.parse import urlsplit

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core import v1 as core
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.networking import v1 as networking
from pulumi_kubernetes.rbac import v1 as rbac

from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform._shared.kubernetes.workloads import egress_to
from aiplatform.serving import rollouts
from aiplatform.serving.args import ServingSettings

_RBAC: Final = "rbac.authorization.k8s.io"
_PORTS: Final = {"http": 80, "https": 443}


def create(name: str, settings: ServingSettings, team: str, options: ResourceOptions) -> None:
    """Create the objects of one team. name: the first part of logical names."""
    assert settings.rollouts is not None, "called only where there are rollouts"  # noqa: S101
    assert settings.prometheus_url is not None, "serving/rules.py refuses it"  # noqa: S101
    objects = _Objects(f"{name}-{team}", settings.namespace(team), team, options)
    account = core.ServiceAccount(
        f"{name}-{team}-{rollouts.ACCOUNT}", metadata=objects.metadata(rollouts.ACCOUNT), opts=options
    )
    subject = rbac.SubjectArgs(
        kind="ServiceAccount", name=rollouts.ACCOUNT, namespace=settings.namespace(team)
    )
    bound = objects.bind(rollouts.ACCOUNT, rollouts.account_rules(settings, team), [subject])
    if settings.rollouts.operators:
        groups = [
            rbac.SubjectArgs(kind="Group", name=group, api_group=_RBAC)
            for group in settings.rollouts.operators
        ]
        objects.bind(rollouts.OPERATORS, rollouts.operator_rules(settings, team), groups)
    routes = core.ConfigMap(
        f"{name}-{team}-{rollouts.ROUTES}",
        metadata=objects.metadata(rollouts.ROUTES),
        data=dict(rollouts.route_templates(settings, team)),
        opts=options,
    )
    allowed = objects.allow(settings.prometheus_url)
    template = rollouts.workflow_template(settings, team, settings.prometheus_url)
    pulumi.CustomResource(
        f"kubernetes:{rollouts.API_VERSION}:{rollouts.KIND}",
        f"{name}-{team}-{rollouts.NAME}",
        template,
        ResourceOptions.merge(
            options,
            ResourceOptions(
                version=version("pulumi-kubernetes"), depends_on=[account, bound, routes, allowed]
            ),
        ),
    )


class _Objects:
    """logical: the first part of logical names."""

    def __init__(self, logical: str, namespace: str, team: str, options: ResourceOptions) -> None:
        self._logical, self._namespace, self._team, self._options = logical, namespace, team, options

    def metadata(self, name: str) -> meta.ObjectMetaArgs:
        """Return the metadata of an object."""
        return meta.ObjectMetaArgs(name=name, namespace=self._namespace, labels={TEAM_LABEL: self._team})

    def bind(
        self, role: str, rules: Sequence[rollouts.Rule], subjects: Sequence[rbac.SubjectArgs]
    ) -> pulumi.Resource:
        """Create a Role and its binding; returns the binding."""
        created = rbac.Role(
            f"{self._logical}-{role}-role",
            metadata=self.metadata(role),
            rules=[
                rbac.PolicyRuleArgs(
                    api_groups=[rule.group],
                    resources=[rule.resource],
                    verbs=list(rule.verbs),
                    resource_names=list(rule.names) or None,
                )
                for rule in rules
            ],
            opts=self._options,
        )
        return rbac.RoleBinding(
            f"{self._logical}-{role}-members",
            metadata=self.metadata(role),
            role_ref=rbac.RoleRefArgs(api_group=_RBAC, kind="Role", name=role),
            subjects=list(subjects),
            opts=ResourceOptions.merge(self._options, ResourceOptions(depends_on=[created])),
        )

    def allow(self, prometheus_url: str) -> pulumi.Resource:
        """Allow the Pods of rollouts to connect to Prometheus, in addition to what the namespace allows."""
        url = urlsplit(prometheus_url)
        every_namespace = networking.NetworkPolicyPeerArgs(namespace_selector=meta.LabelSelectorArgs())
        return networking.NetworkPolicy(
            f"{self._logical}-rollout-traffic",
            metadata=self.metadata("rollout-traffic"),
            spec=networking.NetworkPolicySpecArgs(
                pod_selector=meta.LabelSelectorArgs(match_labels={rollouts.POD: "true"}),
                policy_types=["Egress"],
                egress=[egress_to(url.port or _PORTS[url.scheme], [every_namespace])],
            ),
            opts=self._options,
        )
