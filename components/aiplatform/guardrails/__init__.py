"""Policies that the API server enforces on workloads, and the priorities that workloads may use."""

from pulumi import ComponentResource, ResourceOptions

from aiplatform._shared.args import read
from aiplatform._shared.component_outputs import KnownOutput, publish
from aiplatform.guardrails.args import (
    FabricNamespaceArgs,
    GuardrailsArgs,
    GuardrailsSettings,
    PriorityClassArgs,
)
from aiplatform.guardrails.outputs import GuardrailsOutputs

__all__ = [
    "FabricNamespaceArgs",
    "Guardrails",
    "GuardrailsArgs",
    "GuardrailsOutputs",
    "PriorityClassArgs",
]


class Guardrails(ComponentResource):
    """ValidatingAdmissionPolicies with their bindings, and PriorityClasses: accelerators only through a
    queue, images, access to nodes, public addresses, labels and priorities. They need no webhook: the API
    server evaluates them. It needs the cluster's Kubernetes provider in `opts.providers`."""

    policies: KnownOutput[list[str]]
    """The policies that are enforced."""
    priority_classes: KnownOutput[list[str]]
    """The names of the PriorityClasses."""
    system_namespaces: KnownOutput[list[str]]
    """The namespaces that no policy evaluates."""

    def __init__(self, name: str, args: GuardrailsArgs, opts: ResourceOptions | None = None) -> None:
        settings = read(GuardrailsSettings, args, "GuardrailsArgs")
        # Imported late: arguments are checked without the SDK, which takes a second to load.
        from aiplatform.guardrails import objects
        from aiplatform.guardrails.policies import policies
        from aiplatform.guardrails.policies.policy import system_namespaces

        super().__init__("aiplatform:index:Guardrails", name, {}, opts)
        enforced = list(policies(settings))
        for policy in enforced:
            objects.admission_policy(self, name, policy, settings)
        for class_name, priority_class in settings.priority_classes.items():
            objects.priority_class(self, name, class_name, priority_class)
        self.outputs: GuardrailsOutputs = {
            "policies": [policy.name for policy in enforced],
            "priority_classes": list(settings.priority_classes),
            "system_namespaces": system_namespaces(settings),
        }
        publish(self, self.outputs)
