"""The guardrails as objects of Kubernetes."""

from typing import Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.admissionregistration import v1 as admission
from pulumi_kubernetes.meta import v1 as meta
from pulumi_kubernetes.scheduling import v1 as scheduling

from aiplatform._shared.kubernetes.workloads import NAMESPACE_LABEL
from aiplatform.guardrails.args import GuardrailsSettings, PriorityClass
from aiplatform.guardrails.policies.policy import PREFIX, Policy, Rule, system_namespaces

_LABELS: Final = {"app.kubernetes.io/managed-by": "ai-platform"}


def admission_policy(
    parent: pulumi.ComponentResource, name: str, policy: Policy, settings: GuardrailsSettings
) -> None:
    """Create a policy and the binding that enforces it."""
    metadata = meta.ObjectMetaArgs(name=f"{PREFIX}{policy.name}", labels=_LABELS)
    resource = admission.ValidatingAdmissionPolicy(
        f"{name}-{policy.name}-policy",
        metadata=metadata,
        spec=admission.ValidatingAdmissionPolicySpecArgs(
            # A policy that cannot be evaluated refuses, as one that is violated.
            failure_policy="Fail",
            match_constraints=admission.MatchResourcesArgs(
                resource_rules=[_rule(rule) for rule in policy.rules],
                namespace_selector=meta.LabelSelectorArgs(
                    match_expressions=[
                        meta.LabelSelectorRequirementArgs(
                            key=NAMESPACE_LABEL, operator="NotIn", values=system_namespaces(settings)
                        )
                    ]
                )
                if not policy.every_namespace
                else None,
            ),
            match_conditions=[
                admission.MatchConditionArgs(name=condition, expression=expression)
                for condition, expression in policy.conditions.items()
            ]
            or None,
            variables=[
                admission.VariableArgs(name=variable, expression=expression)
                for variable, expression in policy.variables.items()
            ]
            or None,
            validations=[
                admission.ValidationArgs(
                    expression=validation.expression, message=validation.message, reason="Forbidden"
                )
                for validation in policy.validations
            ],
        ),
        opts=ResourceOptions(parent=parent),
    )
    admission.ValidatingAdmissionPolicyBinding(
        f"{name}-{policy.name}-binding",
        metadata=metadata,
        spec=admission.ValidatingAdmissionPolicyBindingSpecArgs(
            policy_name=f"{PREFIX}{policy.name}",
            validation_actions=list(settings.actions()[policy.name]),
        ),
        opts=ResourceOptions(parent=parent, depends_on=[resource]),
    )


def _rule(rule: Rule) -> admission.NamedRuleWithOperationsArgs:
    return admission.NamedRuleWithOperationsArgs(
        api_groups=[rule.group],
        api_versions=list(rule.versions),
        operations=list(rule.operations),
        resources=list(rule.resources),
    )


def priority_class(
    parent: pulumi.ComponentResource, name: str, class_name: str, priority_class: PriorityClass
) -> None:
    """Create a PriorityClass."""
    scheduling.PriorityClass(
        f"{name}-{class_name}-priority",
        metadata=meta.ObjectMetaArgs(name=class_name, labels=_LABELS),
        value=priority_class.value,
        description=priority_class.description or None,
        preemption_policy="PreemptLowerPriority" if priority_class.preempts else "Never",
        global_default=False,
        # Kubernetes refuses a change of these. Pods keep the number that they have got from a class.
        opts=ResourceOptions(
            parent=parent, replace_on_changes=["value", "preemptionPolicy"], delete_before_replace=True
        ),
    )
