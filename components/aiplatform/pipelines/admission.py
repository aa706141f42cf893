"""What the API server refuses of workflows: a status that their creator states.

The controller runs the specification in the status of a workflow, and not its template's, where the workflow
states `suspend` (v4.0.6, setStoredWfSpec), and takes steps that are done there for done. The status is no
subresource: whatever creates workflows can state it.
"""

from typing import Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.admissionregistration import v1 as admission
from pulumi_kubernetes.meta import v1 as meta

NAME: Final = "ai-platform-workflows"
_GROUP: Final = "argoproj.io"
_NO_STATUS: Final = "object.?status.orValue({}).all(key, object.status[key] == null)"
"""Clients write times that are not there yet as null."""
_WRITES_TEMPLATES: Final = (
    f"authorizer.group('{_GROUP}').resource('workflowtemplates').namespace(request.namespace)"
    ".check('create').allowed()"
)


def create(parent: pulumi.ComponentResource, name: str) -> pulumi.Resource:
    """Create the policy and its binding, for all namespaces. A principal that writes templates may state a
    status: `argo resubmit --memoized` does, and it runs no more than its templates could. Returns the
    binding."""
    metadata = meta.ObjectMetaArgs(name=NAME, labels={"app.kubernetes.io/managed-by": "ai-platform"})
    policy = admission.ValidatingAdmissionPolicy(
        f"{name}-workflows-policy",
        metadata=metadata,
        spec=admission.ValidatingAdmissionPolicySpecArgs(
            failure_policy="Fail",
            match_constraints=admission.MatchResourcesArgs(
                resource_rules=[
                    admission.NamedRuleWithOperationsArgs(
                        api_groups=[_GROUP],
                        api_versions=["*"],
                        operations=["CREATE"],
                        resources=["workflows"],
                    )
                ]
            ),
            validations=[
                admission.ValidationArgs(
                    expression=f"{_NO_STATUS} || {_WRITES_TEMPLATES}",
                    message="ai-platform: workflows: expected no `status`, with which the workflow would run "
                    "something else than its template",
                    reason="Forbidden",
                )
            ],
        ),
        opts=ResourceOptions(parent=parent),
    )
    return admission.ValidatingAdmissionPolicyBinding(
        f"{name}-workflows-binding",
        metadata=metadata,
        spec=admission.ValidatingAdmissionPolicyBindingSpecArgs(
            policy_name=NAME, validation_actions=["Deny"]
        ),
        opts=ResourceOptions(parent=parent, depends_on=[policy]),
    )
