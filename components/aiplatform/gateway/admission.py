"""What the API server refuses of routes: a team's routes are below its path, and only the platform has
policies of Envoy Gateway, since one of a route replaces those of the gateway, but for copies of requests,
which change nothing."""

from typing import Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.admissionregistration import v1 as admission
from pulumi_kubernetes.meta import v1 as meta

from aiplatform._shared.kubernetes.names import TEAM_LABEL
from aiplatform.gateway.args import NAME, NAMESPACE, GatewayClass
from aiplatform.gateway.objects import ENVOY_GROUP, GATEWAY_GROUP

ROUTES: Final = "ai-platform-gateway-routes"
POLICIES: Final = "ai-platform-gateway-policies"
_OF_TEAMS: Final = meta.LabelSelectorArgs(
    match_expressions=[meta.LabelSelectorRequirementArgs(key=TEAM_LABEL, operator="Exists")]
)
_BELOW: Final = (
    "object.spec.?rules.orValue([]).all(rule, rule.?matches.orValue([]).size() > 0 "
    "&& rule.matches.all(match, match.?path.?type.orValue('') in ['PathPrefix', 'Exact'] "
    "&& (match.path.value == variables.path || match.path.value.startsWith(variables.path + '/'))))"
)
_COPIES: Final = (
    "request.kind.kind == 'EnvoyExtensionPolicy' "
    "&& object.spec.?targetRefs.orValue([]).all(target, target.kind == 'HTTPRoute') "
    "&& !has(object.spec.targetRef) && !has(object.spec.targetSelectors) "
    "&& ['lua', 'wasm', 'dynamicModule'].all(key, !(key in object.spec)) "
    "&& object.spec.?extProc.orValue([]).size() > 0 "
    "&& object.spec.extProc.all(copy, copy.?shadowMode.orValue(false) && copy.?failOpen.orValue(false))"
)
"""Envoy does not wait, and ignores what is answered: nothing that the gateway checks is left out."""


def create(parent: pulumi.ComponentResource, name: str, gateway_class: GatewayClass) -> None:
    """Create the policies with their bindings."""
    _policy(
        parent,
        name,
        "routes",
        ROUTES,
        admission.NamedRuleWithOperationsArgs(
            api_groups=[GATEWAY_GROUP],
            api_versions=["*"],
            operations=["CREATE", "UPDATE"],
            resources=["httproutes", "grpcroutes"],
        ),
        [
            admission.MatchConditionArgs(
                name="of-the-gateway",
                expression=(
                    f"object.spec.?parentRefs.orValue([]).exists(parent, parent.name == '{NAME}' "
                    f"&& parent.?namespace.orValue('') == '{NAMESPACE}')"
                ),
            ),
        ],
        [
            admission.VariableArgs(
                name="path", expression=f"'/' + namespaceObject.metadata.labels['{TEAM_LABEL}']"
            )
        ],
        admission.ValidationArgs(
            expression=f"request.kind.kind == 'HTTPRoute' && {_BELOW}",
            message="ai-platform: the route has requests of others; expected an HTTPRoute whose rules have "
            "paths below /TEAM/, of the type PathPrefix or Exact",
            reason="Forbidden",
        ),
    )
    if gateway_class == "envoy":
        _policy(
            parent,
            name,
            "policies",
            POLICIES,
            admission.NamedRuleWithOperationsArgs(
                api_groups=[ENVOY_GROUP],
                api_versions=["*"],
                operations=["CREATE", "UPDATE"],
                resources=["*"],
            ),
            [],
            [],
            admission.ValidationArgs(
                expression=_COPIES,
                message="ai-platform: a policy of a route would replace tokens and limits of the gateway; "
                "expected none in a team's namespace but EnvoyExtensionPolicies that copy requests of an "
                "HTTPRoute (`extProc` with `shadowMode` and `failOpen`)",
                reason="Forbidden",
            ),
        )


def _policy(
    parent: pulumi.ComponentResource,
    name: str,
    logical: str,
    object_name: str,
    rule: admission.NamedRuleWithOperationsArgs,
    conditions: list[admission.MatchConditionArgs],
    variables: list[admission.VariableArgs],
    validation: admission.ValidationArgs,
) -> None:
    metadata = meta.ObjectMetaArgs(name=object_name, labels={"app.kubernetes.io/managed-by": "ai-platform"})
    # Removing a finalizer of what is in deletion must not fail. Its specification can still be changed, and
    # Envoy Gateway serves a route until the end.
    changes = admission.MatchConditionArgs(
        name="changes", expression="request.operation == 'CREATE' || object.spec != oldObject.spec"
    )
    resource = admission.ValidatingAdmissionPolicy(
        f"{name}-{logical}-policy",
        metadata=metadata,
        spec=admission.ValidatingAdmissionPolicySpecArgs(
            failure_policy="Fail",
            match_constraints=admission.MatchResourcesArgs(
                resource_rules=[rule], namespace_selector=_OF_TEAMS
            ),
            match_conditions=[changes, *conditions],
            variables=variables or None,
            validations=[validation],
        ),
        opts=ResourceOptions(parent=parent),
    )
    admission.ValidatingAdmissionPolicyBinding(
        f"{name}-{logical}-binding",
        metadata=metadata,
        spec=admission.ValidatingAdmissionPolicyBindingSpecArgs(
            policy_name=object_name, validation_actions=["Deny"]
        ),
        opts=ResourceOptions(parent=parent, depends_on=[resource]),
    )
